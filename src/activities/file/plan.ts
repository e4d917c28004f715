/** plan: what the beginning of the file says - encoding, delimiter, header - and whether its columns are the kind's. */
import { mapHeader } from '../../sources/csv/columns.ts';
import { CONTROL_COLUMNS, hasControls } from '../../sources/csv/controls.ts';
import { detectDialect, type Delimiter } from '../../sources/csv/dialect.ts';
import { detectEncoding, type Encoding } from '../../sources/csv/encoding.ts';
import { openRegularFile } from '../../sources/openFile.ts';
import { parseHeader, type HeaderOptions } from '../../sources/csv/header.ts';
import { parseChunk } from '../../sources/csv/parse.ts';
import { IntakeError } from '../../errors.ts';
import { csvKindNamed } from '../../kinds/index.ts';
import type { ImportInput, Plan } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';

/** Enough for any header and for the look of the first records. */
const HEAD_BYTES = 1024 * 1024;
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const planActivity = (_: Deps) => ({
  async plan(input: ImportInput): Promise<Plan> {
    const head = await readHead(input.path);
    const { encoding, bomBytes, certain } = detectEncoding(head, input.options.encoding);
    const { delimiter, newline } = detectDialect(head.subarray(bomBytes), encoding, input.options.delimiter);
    const options = { encoding, bomBytes, delimiter, newline };
    const header = parseHeader(head, options, input.options.map);
    const kind = csvKindNamed(input.kind);
    const ours = hasControls(header) ? header.slice(0, -CONTROL_COLUMNS.length) : header;
    const { positions } = mapHeader(ours, kind, input.options.map);
    const parentRunId = hasControls(header) ? parentOf(head, header, options) : undefined;
    return {
      encoding,
      encodingCertain: certain,
      bomBytes,
      delimiter,
      newline,
      columns: ours.length,
      mapped: kind.columns.filter((_column, i) => positions[i] !== undefined).map((column) => column.name),
      ...(kind.resolves ? { resolves: true } : {}),
      ...(parentRunId ? { parentRunId } : {}),
    };
  },
});

async function readHead(path: string): Promise<Buffer> {
  const file = await openRegularFile(path);
  try {
    const stats = await file.stat();
    if (stats.size === 0) throw new IntakeError('EMPTY_FILE', 'The file is empty');
    const head = Buffer.alloc(Math.min(HEAD_BYTES, stats.size));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The run that a file of rejects came from, as its first readable row says. */
function parentOf(
  head: Buffer,
  header: readonly string[],
  options: HeaderOptions & { encoding: Encoding; delimiter: Delimiter },
): string | undefined {
  const records = parseChunk(head.subarray(options.bomBytes), {
    ...options,
    columns: header.length,
    line: 1,
    firstRow: 0,
  });
  for (const { rowIndex, cells } of records) {
    const run = rowIndex === 0 ? undefined : cells?.at(-1)?.trim();
    if (run && RUN_ID.test(run)) return run;
  }
  return undefined;
}
