/** The rows of a file of projects, CSV or JSON, as the gateway takes them. */
import { createReadStream } from 'node:fs';
import { normalizeHeader } from '../../sources/csv/header.ts';
import { openRegularFile } from '../../sources/openFile.ts';
import { IntakeError } from '../../errors.ts';
import { rowSchema, type NormalRow } from '../../sources/projects/row.ts';
import { projects } from '../../kinds/projects.ts';
import { csvRows } from '../../sources/projects/csvRows.ts';
import { jsonRows, looksLikeJson } from '../../sources/projects/jsonRows.ts';

const HEAD_BYTES = 1024 * 1024;
const byHeader = new Map(projects.columns.map(({ name }) => [normalizeHeader(name), name]));

/**
 * Every row of the file in its normal form; headers and keys are matched without case, spaces, `-` and `_`.
 * @throws IntakeError INVALID_ROW naming line or row and column, never the value; FILE_NOT_FOUND, EMPTY_FILE, MISSING_COLUMNS, ...
 */
export async function* projectRows(path: string, signal?: AbortSignal): AsyncGenerator<NormalRow> {
  const head = await readHead(path);
  if (looksLikeJson(head)) {
    let row = 0;
    for await (const value of jsonRows(
      head,
      createReadStream(path, { highWaterMark: HEAD_BYTES, ...(signal ? { signal } : {}) }),
    )) {
      row++;
      yield checked(renamed(value), `Row ${row}`);
    }
  } else {
    for await (const { cells, line } of csvRows(path, head, projects, signal)) yield checked(cells, 'A row', line);
  }
}

async function readHead(path: string): Promise<Buffer> {
  const file = await openRegularFile(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    if (bytesRead === 0) throw new IntakeError('EMPTY_FILE', 'The file is empty');
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A JSON row with our names for its keys. */
function renamed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, cell]) => [byHeader.get(normalizeHeader(key)) ?? key, cell]),
  );
}

function checked(cells: unknown, name: string, line?: number): NormalRow {
  const parsed = rowSchema.safeParse(cells);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const column = issue?.path.join('.');
  throw new IntakeError(
    'INVALID_ROW',
    `${name} is not as agreed: ${column ? `${column} is ` : ''}${issue?.message}`,
    line === undefined ? {} : { line },
  );
}
