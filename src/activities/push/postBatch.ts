/**
 * activities/push/: A file of projects: found, downloaded, split, posted.
 *
 * One batch of a push to the gateway; posted twice it is merged once.
 */
import { Context } from '@temporalio/activity';
import { createTokenIssuer } from './bearer.ts';
import { postBatchBody } from './post.ts';
import { requireOrder } from '../ordered.ts';
import { openSpool, readBody } from './spool.ts';
import { IntakeError } from '../../errors.ts';
import type { Push, PushedBatch } from '../../messages/push.ts';
import type { Deps } from '../deps.ts';

export function postBatchActivity({ workDir, config, backend }: Deps) {
  const issueToken = createTokenIssuer();
  return {
    async postBatch({ push, index }: { push: Push; index: number }): Promise<PushedBatch> {
      const {
        cancellationSignal: signal,
        info: { attempt },
      } = Context.current();
      const spool = await openSpool(workDir, push, signal);
      const batch = spool.batches[index];
      if (!batch) throw new IntakeError('INTERNAL', 'There is no such batch');
      const body = await readBody(spool, index);
      const { url, bearer, fresh } = await destination(push);
      const name = `${batch.batchId} (rows ${batch.firstRow + 1} to ${batch.lastRow + 1} of the file)`;
      const started = performance.now();
      const { staging_id, ...metrics } = await postBatchBody({ url, bearer, fresh, body, name, attempt, signal });
      const ms = Math.round(performance.now() - started);
      return { batch_id: batch.batchId, rows: batch.rows, staging_id, ms, metrics };
    },
  };

  /** A temporary bearer opens our gateway for everybody who holds it: it is sent to no other address. */
  async function destination({
    tenantId,
    gatewayUrl = config.gatewayUrl,
    backend: name,
  }: Push): Promise<{ url: string; bearer: string; fresh: boolean }> {
    const configured = config.projectsSecret(tenantId);
    if (gatewayUrl !== config.gatewayUrl)
      await requireOrder(backend(name), 'gateway', [{ url: gatewayUrl }], 'to post to this gateway');
    if (configured !== undefined) return { url: gatewayUrl, bearer: configured, fresh: false };
    if (gatewayUrl !== config.gatewayUrl) {
      throw new IntakeError('GATEWAY_REFUSED', 'There is no bearer for this gateway', {
        remedy: `Set PROJECTS_IMPORT_BEARER=${tenantId}=SECRET for the worker.`,
      });
    }
    const { secret, fresh } = await issueToken(backend(name), tenantId);
    return { url: gatewayUrl, bearer: secret, fresh };
  }
}
