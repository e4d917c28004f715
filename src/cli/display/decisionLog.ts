/** `--debug-log` of search results: what became of each record, a line of JSON on stderr. Places and ids, no values. */
import { createLogger } from '../../observability/log.ts';
import type { Backend } from '../../database/backend.ts';
import type { Decision } from '../../database/rows.ts';

const PAGE = 1000;

const WORDS: Record<Decision['action'], string> = {
  inserted: 'Inserted record',
  updated: 'Updated record',
  skipped: 'Skipped',
  failed: 'Failed',
  pending: 'Pending',
  rolled_back: 'Rolled back',
};
const REASONS: Record<string, string> = {
  OLDER: 'older',
  DUPLICATE_IN_RUN: 'duplicate in this run',
  DUPLICATE_SEARCH: 'duplicate search',
};

/** `Updated record: FL/Belmar_01_parse.json #1`, `Skipped (older): ...`, in the order of the files. */
export async function logDecisions(backend: Backend, runId: string, workflow: string): Promise<void> {
  const log = createLogger('debug').child({ workflow });
  for (let after = -1; ;) {
    const page = await backend.call('read_decisions', { run_id: runId, after_row: after, max_rows: PAGE });
    for (const { item, line, action, reason, search_result_id } of page) {
      const why = reason === null ? '' : ` (${REASONS[reason] ?? reason})`;
      log.debug(
        { item, line, action, reason, search_result_id },
        `${WORDS[action]}${why}: ${item}${line > 0 ? ` #${line}` : ''}`,
      );
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.row_index;
  }
}
