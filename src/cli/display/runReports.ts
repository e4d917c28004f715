/** The operator queries over runs as tables of a terminal; --json has all columns and whole values. */
import type { Row } from '../../database/rows.ts';
import { localTime, renderTable, type Fit } from './table.ts';

const HEADINGS: Record<string, string> = {
  import_kind: 'kind',
  source_system: 'source',
  filename: 'file',
  rows_fetched: 'read',
  rows_inserted: 'new',
  rows_skipped: 'skipped',
  rows_errored: 'rejected',
  duration_seconds: 'seconds',
  average_seconds: 'seconds',
  created_at: 'began',
  updated_at: 'when',
  last_run_at: 'last',
  claimed_at: 'claimed',
  seconds_since_heartbeat: 'silent (s)',
  is_stale: 'stale',
  original_id: 'original',
  original_filename: 'its file',
  original_completed_at: 'completed',
  rolled_back_at: 'when',
  rollback_reason: 'reason',
  rolled_back_rows: 'rows',
  remaining_rows: 'left',
  is_complete: 'complete',
  error_type: 'error',
  error_message: 'message',
  actual_total: 'rows',
  reported_inserted: 'reported',
  actual_inserted: 'inserted',
  inserted_discrepancy: 'differ',
};
const COUNTS = ['rows_fetched', 'rows_inserted', 'rows_skipped', 'rows_errored'];
const REPORTS: Record<string, readonly string[]> = {
  list: ['id', 'import_kind', 'source_system', 'filename', 'status', ...COUNTS, 'duration_seconds', 'created_at'],
  latest: ['id', 'import_kind', 'source_system', 'filename', 'status', ...COUNTS, 'duration_seconds', 'created_at'],
  duplicates: [
    'id',
    'source_system',
    'filename',
    'created_at',
    'original_id',
    'original_filename',
    'original_completed_at',
  ],
  'reconcile-failures': [
    'id',
    'filename',
    'status',
    'rows_fetched',
    'actual_total',
    'delta',
    'reported_inserted',
    'actual_inserted',
    'inserted_discrepancy',
  ],
  rollbacks: [
    'id',
    'source_system',
    'filename',
    'rolled_back_at',
    'rollback_reason',
    'rolled_back_rows',
    'remaining_rows',
    'is_complete',
  ],
  'in-progress': ['id', 'source_system', 'filename', 'claimed_at', 'seconds_since_heartbeat', 'is_stale'],
  failed: ['id', 'source_system', 'filename', 'error_type', 'error_message', 'updated_at'],
  stats: [
    'source_system',
    'import_kind',
    'runs',
    'completed',
    'failed',
    'rolled_back',
    'duplicates',
    ...COUNTS,
    'average_seconds',
    'last_run_at',
  ],
};

/** @param what name of the query. */
export const reportLines = (what: string, rows: readonly Row[]): string[] =>
  renderTable(rows.map(shortOf), columnsOf(what, rows), fit());

/** Ids by their first digits, which every command takes, and times where the reader is; --json has all of them. */
const shortOf = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      /(?:^|_)id$/.test(name) && typeof value === 'string'
        ? value.slice(0, 8)
        : /_at$/.test(name)
          ? localTime(value)
          : value,
    ]),
  );

const fit = (): Fit => ({
  width: process.stdout.columns ?? 80,
  headings: HEADINGS,
  spare: ['duration_seconds', 'average_seconds', 'source_system', 'rows_skipped', 'duplicates', 'rolled_back'],
  elastic: {
    original_filename: 12,
    rollback_reason: 12,
    error_message: 20,
    filename: 8,
    source_system: 8,
    error_type: 10,
  },
});

const columnsOf = (what: string, rows: readonly Row[]): readonly string[] => {
  const columns = REPORTS[what] ?? [];
  if (!rows.some(({ condition }) => condition)) return columns;
  const at = columns.includes('status') ? columns.indexOf('status') + 1 : columns.length;
  return columns.toSpliced(at, 0, 'condition');
};
