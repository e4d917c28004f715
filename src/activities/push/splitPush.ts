/** The file of a push, cut into batches on the host that holds it. */
import { Context } from '@temporalio/activity';
import type { LeftOutRow } from './projectRows.ts';
import { openSpool, removeSpool } from './spool.ts';
import type { LeftOut, Push, SplitFile } from '../../messages/push.ts';
import { maskHeader } from '../../sources/csv/header.ts';
import type { Deps } from '../deps.ts';

/** Rows that a report names. */
const SHOWN = 20;

export const splitPushActivities = ({ workDir }: Deps) => ({
  /** Reads the whole file before the first row is posted: what is to be posted, and what cannot be. */
  async splitPush(push: Push): Promise<SplitFile> {
    const { rows, batches, leftOut } = await openSpool(workDir, push, Context.current().cancellationSignal);
    return {
      rows,
      batches: batches.length,
      ...(leftOut.length > 0
        ? { leftOut: leftOut.length, firstLeftOut: leftOut.slice(0, SHOWN).map(withoutValues) }
        : {}),
    };
  },

  /** Takes the batches away from this host's disk. */
  async clearPush(push: Push): Promise<void> {
    await removeSpool(workDir, push);
  },
});

const withoutValues = ({ row, line, code, column, message }: LeftOutRow): LeftOut => ({
  row,
  ...(line === undefined ? {} : { line }),
  code,
  ...(column === undefined ? {} : { column: maskHeader(column, 0) }),
  message,
});
