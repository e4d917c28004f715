/** plan: what the beginning of the file says - encoding, delimiter, header - and whether its columns are the kind's. */
import { headerUses, refuseUnknown } from '../../sources/csv/columns.ts';
import { CONTROL_COLUMNS } from '../../sources/csv/controls.ts';
import { HEAD_BYTES, readLayout, type Layout } from '../../sources/csv/layout.ts';
import { openRegularFile } from '../../sources/file.ts';
import { parseChunk } from '../../sources/csv/parse.ts';
import { IntakeError } from '../../errors.ts';
import { csvKindNamed } from '../../kinds/index.ts';
import type { ImportInput, Plan } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';

/** Headers that are listed in a report. */
const MOST_HEADERS = 1000;
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const planActivity = (_: Deps) => ({
  async plan(input: ImportInput): Promise<Plan> {
    const { head, whole } = await readHead(input.path);
    const kind = csvKindNamed(input.kind);
    const layout = readLayout(head, whole, kind, input.options);
    const { encoding, certain, bomBytes, delimiter, newline, header, headerLine, mapping, rowCells, remarks } = layout;
    const parentRunId = layout.controls ? parentOf(head, layout) : undefined;
    const columns = header.written.length - (layout.controls ? CONTROL_COLUMNS.length : 0);
    const headers = headerUses(header.written.slice(0, Math.min(columns, MOST_HEADERS)), kind, mapping);
    if (input.options.strictHeaders) refuseUnknown(headers);
    return {
      encoding,
      encodingCertain: certain,
      bomBytes,
      delimiter,
      newline,
      columns,
      mapped: kind.columns.filter((_column, i) => mapping.positions[i] !== undefined).map((column) => column.name),
      headers,
      ...(headerLine > 1 ? { headerLine } : {}),
      ...(rowCells === undefined ? {} : { rowCells }),
      ...(Object.keys(remarks).length > 0 ? { remarks } : {}),
      ...(kind.resolves ? { resolves: true } : {}),
      ...(parentRunId ? { parentRunId } : {}),
    };
  },
});

async function readHead(path: string): Promise<{ head: Buffer; whole: boolean }> {
  const file = await openRegularFile(path);
  try {
    const stats = await file.stat();
    if (stats.size === 0) throw new IntakeError('EMPTY_FILE', 'The file is empty');
    const head = Buffer.alloc(Math.min(HEAD_BYTES, stats.size));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return { head: head.subarray(0, bytesRead), whole: bytesRead === stats.size };
  } finally {
    await file.close();
  }
}

/** The run that a file of rejects came from, as its first readable row says. */
function parentOf(head: Buffer, { bomBytes, header, ...options }: Layout): string | undefined {
  const records = parseChunk(head.subarray(bomBytes), {
    ...options,
    columns: header.names.length,
    line: 1,
    firstRow: 0,
  });
  for (const { rowIndex, cells } of records) {
    const run = rowIndex === 0 ? undefined : cells?.at(-1)?.trim();
    if (run && RUN_ID.test(run)) return run;
  }
  return undefined;
}
