/** Rejected records that are too long to be kept in the database: their bytes stay in the source and are found by their line. */
import { originalWidth } from './readRows.ts';
import type { Manifest } from './manifest.ts';
import { withoutControls } from '../sources/csv/controls.ts';
import { parseChunk } from '../sources/csv/parse.ts';
import { trimLineEnd } from '../sources/csv/rejects.ts';

/** A rejected record of more bytes is not staged. */
export const LONGEST_STAGED = 1_000_000;

/**
 * The bytes of a rejected record in pieces, without its line end and without the control columns of a file of rejects.
 * @param line where it begins.
 * @param read the bytes of a chunk of the source.
 */
export async function* longRecord(
  manifest: Manifest,
  line: number,
  read: (chunk: number) => Promise<Buffer>,
): AsyncGenerator<Buffer> {
  const { chunks, header } = manifest;
  const first = chunks.findLastIndex((chunk) => chunk.line <= line && chunk.rows > 0);
  const chunk = chunks[first];
  if (chunk === undefined) return;
  if (chunk.tooLarge) {
    let held: Buffer = Buffer.alloc(0);
    for (let at = first; at === first || (chunks[at]?.tooLarge && chunks[at]?.rows === 0); at++) {
      const piece = await read(at);
      // The line end may be cut in two.
      const whole = piece.length < 4;
      if (!whole) yield held;
      held = whole ? Buffer.concat([held, piece]) : piece;
    }
    yield trimLineEnd(held, manifest);
    return;
  }
  const width = originalWidth(header);
  for (const record of parseChunk(await read(first), {
    ...manifest,
    ...chunk,
    columns: header.length,
    controls: width < header.length,
  })) {
    if (record.line !== line) continue;
    yield width < header.length ? withoutControls(record.bytes(), width, manifest) : record.bytes();
    return;
  }
}
