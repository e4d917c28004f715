/** Cells and payloads in PostgreSQL's COPY text format and in JSON. */

const COPY_SPECIAL = /[\\\n\r\t]/;
const COPY_SPECIALS = /[\\\n\r\t]/g;
const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

export function copyCell(value: string | null): string {
  if (value === null) return '\\N';
  return COPY_SPECIAL.test(value) ? value.replace(COPY_SPECIALS, (c) => COPY_ESCAPES[c] as string) : value;
}

/** JSON text has no raw control characters: only its backslashes need doubling. */
export const copyJson = (json: string): string => (json.includes('\\') ? json.replaceAll('\\', '\\\\') : json);

const JSON_SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/;

export const jsonCell = (value: string | null): string => (value === null ? 'null' : quoted(value));

const quoted = (value: string): string => (JSON_SPECIAL.test(value) ? JSON.stringify(value) : `"${value}"`);

/** PostgreSQL's jsonb stores neither NUL nor half a surrogate pair; the exact bytes of such a record are kept beside it. */
const storable = (value: string): string => (JSON_SPECIAL.test(value) ? value.replaceAll('\0', '\ufffd').toWellFormed() : value);

/** Writes the cells of a record as a JSON object under their own headers; cells beyond the header under `_extra`. */
export function payloadWriter(header: readonly string[]): (cells: readonly string[] | undefined) => string {
  const keys = header.map((name) => `${JSON.stringify(name)}:`);
  return (cells) => {
    if (!cells) return '{}';
    let json = '{';
    const known = Math.min(keys.length, cells.length);
    for (let i = 0; i < known; i++) {
      json += `${i ? ',' : ''}${keys[i] as string}${quoted(storable(cells[i] as string))}`;
    }
    if (cells.length > keys.length) {
      json += `${known ? ',' : ''}"_extra":[${cells.slice(keys.length).map((cell) => quoted(storable(cell))).join(',')}]`;
    }
    return `${json}}`;
  };
}
