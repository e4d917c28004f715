/** Failed items of a directory as CSV: which file, licence or image, and what is wrong with it. */
import { csvLine } from '../csv/write.ts';

export interface FailedRow {
  /** Path below the root. */
  readonly item: string;
  readonly kind: 'json' | 'licence' | 'image';
  /** Which licence of its file, from 1; 0 is the file itself. */
  readonly line: number;
  readonly code: string;
  readonly message: string | null;
}

const ESCAPED = { escapeFormulas: true };

export const FAILED_ITEMS_HEADER = csvLine(['item', 'kind', 'line', '_code', '_error', '_run'], ESCAPED);

/** `run` is empty for a dry run. */
export const failedItemLine = ({ item, kind, line, code, message }: FailedRow, run: string): string =>
  csvLine([item, kind, line, code, message, run], ESCAPED);
