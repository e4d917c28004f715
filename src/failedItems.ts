/** Failed items of a directory as CSV: which file, licence or image, and what is wrong with it. */
import { csvLine } from './csv/write.ts';

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

/** A file of several licences has a row for each: what failed is the one file, the one image. */
export async function* eachOnce<T extends FailedRow>(rows: AsyncIterable<T>): AsyncGenerator<T> {
  const last = new Map<FailedRow['kind'], string>();
  for await (const row of rows) {
    const again = row.kind !== 'licence' && last.get(row.kind) === row.item;
    last.set(row.kind, row.item);
    if (!again) yield row;
  }
}
