/** The file of a push, cut into batches on the host that holds it. */
import { Context } from '@temporalio/activity';
import { openSpool, removeSpool } from './spool.ts';
import type { Push } from '../../messages/push.ts';
import type { Deps } from '../deps.ts';

export const splitPushActivities = ({ workDir }: Deps) => ({
  /** Reads the whole file: every row of it is as agreed before the first is posted. */
  async splitPush(push: Push): Promise<{ rows: number; batches: number }> {
    const { rows, batches } = await openSpool(workDir, push, Context.current().cancellationSignal);
    return { rows, batches: batches.length };
  },

  /** Takes the batches away from this host's disk. */
  async clearPush(push: Push): Promise<void> {
    await removeSpool(workDir, push);
  },
});
