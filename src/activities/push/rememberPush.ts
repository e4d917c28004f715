/** Remembers a file's content as pushed, so that a folder's schedule leaves it out from now on. */
import type { PushReport, Push } from '../../messages/push.ts';
import type { Deps } from '../deps.ts';

export const rememberPushActivity = ({ backend }: Deps) => ({
  async rememberPush({ push, report }: { push: Push; report: Pick<PushReport, 'rows' | 'total'> }): Promise<void> {
    await backend(push.backend).call('remember_push', {
      tenant_id: push.tenantId,
      file_sha256: push.fileHash,
      correlation_id: push.correlationId,
      row_count: report.rows,
      batches: report.total,
    });
  },
});
