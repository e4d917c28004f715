/** Rows into batches that the gateway takes, in their order. */

/** The contract's limit. */
export const MAX_BATCH_ROWS = 5000;
/** Of a whole body: the runbook's 5 MB in the narrower sense of the word. */
const MAX_BODY_BYTES = 5_000_000;
/** What stands around the rows is smaller. */
const ENVELOPE_BYTES = 4096;

export interface RowsOfBatch {
  readonly rows: number;
  /** JSON, an array. */
  readonly json: string;
}

/** @param maxBytes of the rows' JSON in UTF-8; a single row is much smaller. */
export async function* splitRows(
  rows: AsyncIterable<object>,
  maxRows: number = MAX_BATCH_ROWS,
  maxBytes: number = MAX_BODY_BYTES - ENVELOPE_BYTES,
): AsyncGenerator<RowsOfBatch> {
  let texts: string[] = [];
  let bytes = 0;
  const batch = (): RowsOfBatch => ({ rows: texts.length, json: `[${texts.join(',')}]` });
  for await (const row of rows) {
    const text = JSON.stringify(row);
    const length = Buffer.byteLength(text) + 1; // its comma or bracket
    if (texts.length > 0 && (texts.length >= maxRows || bytes + length + 1 > maxBytes)) {
      yield batch();
      [texts, bytes] = [[], 0];
    }
    texts.push(text);
    bytes += length;
  }
  if (texts.length > 0) yield batch();
}
