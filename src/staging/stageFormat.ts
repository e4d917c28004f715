/** Cells and payloads in PostgreSQL's COPY text format and in JSON. */
import type { StageFormat } from '../database/backend.ts';

const COPY_SPECIAL = /[\\\n\r\t]/;
const COPY_SPECIALS = /[\\\n\r\t]/g;
const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

export function copyCell(value: string | null): string {
  if (value === null) return '\\N';
  return COPY_SPECIAL.test(value) ? value.replace(COPY_SPECIALS, (c) => COPY_ESCAPES[c] as string) : value;
}

const JSON_SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/;

export const jsonCell = (value: string | null): string => (value === null ? 'null' : jsonText(value));

const jsonText = (value: string): string => (JSON_SPECIAL.test(value) ? JSON.stringify(value) : `"${value}"`);

/** JSON text has no raw control characters: in COPY only its backslashes need doubling. */
const copyJsonText = (value: string): string => jsonText(value).replaceAll('\\', '\\\\');

/** PostgreSQL's jsonb stores neither NUL nor half a surrogate pair; the exact bytes of such a record are kept beside it. */
const storable = (value: string): string =>
  JSON_SPECIAL.test(value) ? value.replaceAll('\0', '\ufffd').toWellFormed() : value;

/** Indexes of names in the order in which jsonb keeps them: by length, then by bytes. Keys that come so need no sorting there. */
function jsonbOrder(names: readonly string[]): number[] {
  const bytes = names.map((name) => Buffer.from(name));
  return names
    .map((_, i) => i)
    .sort((a, b) => bytes[a]!.length - bytes[b]!.length || Buffer.compare(bytes[a]!, bytes[b]!));
}

/**
 * Writes the cells of a record as a JSON object under their own headers, cells beyond the header under `_extra`, ready for the
 * format. `plain` cells hold nothing to escape but quotes.
 */
export function payloadWriter(
  header: readonly string[],
  format: StageFormat,
): (cells: readonly string[] | undefined, plain: boolean) => string {
  const encode = format === 'copy' ? copyJsonText : jsonText;
  const keys = header.map((name) => `${encode(name)}:`);
  const order = jsonbOrder(header);
  const plainText = (cell: string) => (cell.includes('"') ? encode(cell) : `"${cell}"`);
  const anyText = (cell: string) => encode(storable(cell));
  return (cells, plain) => {
    if (!cells) return '{}';
    const text = plain ? plainText : anyText;
    let json = '{';
    const known = Math.min(keys.length, cells.length);
    for (const i of order)
      if (i < known) json += `${json.length > 1 ? ',' : ''}${keys[i] as string}${text(cells[i] as string)}`;
    if (cells.length > keys.length)
      json += `${known ? ',' : ''}"_extra":[${cells.slice(keys.length).map(text).join(',')}]`;
    return `${json}}`;
  };
}
