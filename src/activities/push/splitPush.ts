/** The file of a push, cut into batches on the host that holds it. */
import { Context } from '@temporalio/activity';
import type { LeftOutRow } from './projectRows.ts';
import { batchIdOf } from './batchId.ts';
import { openSpool, removeSpool } from './spool.ts';
import type { LeftOut, Push, SplitFile } from '../../messages/push.ts';
import { PROJECT_COLUMNS } from '../../sources/projects/columns.ts';
import { IntakeError } from '../../errors.ts';
import type { Deps } from '../deps.ts';

/** Rows that a report names. */
const SHOWN = 20;

export const splitPushActivities = ({ workDir, backend }: Deps) => ({
  /** Reads the whole file before the first row is posted: what is to be posted, and what cannot be. */
  async splitPush(push: Push): Promise<SplitFile> {
    const {
      rows,
      batches,
      leftOut,
      remarks = {},
    } = await openSpool(workDir, push, Context.current().cancellationSignal);
    if (leftOut.length > 0)
      await backend(push.backend).call('note_left_out', {
        tenant_id: push.tenantId,
        correlation_id: push.correlationId,
        batch_id: batchIdOf(push.startedAt, 0, push.timeZone),
        rows: leftOut.map(anomalyOf),
      });
    const [first] = leftOut;
    if (rows === 0 && first) throw noGoodRow(leftOut.length, first);
    return {
      rows,
      batches: batches.length,
      ...(leftOut.length > 0
        ? { leftOut: leftOut.length, firstLeftOut: leftOut.slice(0, SHOWN).map(withoutValues) }
        : {}),
      ...(Object.keys(remarks).length > 0 ? { remarks } : {}),
    };
  },

  /** Takes the batches away from this host's disk. */
  async clearPush(push: Push): Promise<void> {
    await removeSpool(workDir, push);
  },
});

const anomalyOf = ({ row, code, column, message, key, value }: LeftOutRow): object => ({
  row_index: row,
  field: PROJECT_COLUMNS.find(({ name }) => name === column)?.name ?? null,
  value: value ?? null,
  reason: `${code}: ${message}`,
  project_key: key || null,
});

const withoutValues = ({ row, line, code, column, message }: LeftOutRow): LeftOut => ({
  row,
  ...(line === undefined ? {} : { line }),
  code,
  ...(column === undefined ? {} : { column }),
  message,
});

function noGoodRow(rows: number, { row, line, code, column, message }: LeftOutRow): IntakeError {
  const what = `${column ? `${column} is ` : ''}${message}`;
  return new IntakeError(
    'INVALID_ROW',
    `No row of the file can be posted (${rows} rows); the first, row ${row}: ${code}, ${what}`,
    line === undefined ? {} : { line },
  );
}
