/** The checksum of a batch of project rows: what makes the same rows the same batch. SQL's `fn_rows_checksum` is its twin. */
import { createHash } from 'node:crypto';
import { text } from '../../values/text.ts';
import { COUNTS, PROJECT_COLUMNS } from './columns.ts';

/** A row as JSON has it; keys that are no column of a project do not count. */
export type JsonCells = Readonly<Record<string, string | number | boolean | null | undefined>>;

const COUNTED: ReadonlySet<string> = new Set(COUNTS);
/** Columns in the order of the checksum: counts behind the others. */
const OTHERS = PROJECT_COLUMNS.flatMap(({ name }) => (COUNTED.has(name) ? [] : [name]));

/**
 * SHA-256, as hex, of the rows' trimmed cells: a blank text is `''`, a blank count `0`, a field that is missing null. Keys and rows may come in any order;
 * only rows of one `stage_application` keep theirs, since the last of them wins.
 */
export function rowsChecksum(rows: readonly JsonCells[]): string {
  const lines = rows.map((row) => {
    const key = cell(row['stage_application']) ?? '';
    const texts = OTHERS.map((column) => cell(row[column]));
    const counts = COUNTS.map((column) => cell(row[column]) || (row[column] === undefined ? null : '0'));
    return { key: Buffer.from(key), line: JSON.stringify([key, ...texts.slice(1), ...counts]) };
  });
  lines.sort((a, b) => Buffer.compare(a.key, b.key)); // stable
  return createHash('sha256')
    .update(lines.map(({ line }) => line).join('\n'))
    .digest('hex');
}

function cell(value: JsonCells[string]): string | null {
  if (value === undefined) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? plainDecimal(value) : ''; // JSON has null for the others
  return text(typeof value === 'boolean' ? String(value) : value) ?? '';
}

/** `1e21` as PostgreSQL writes it: all digits, no exponent. */
function plainDecimal(value: number): string {
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(
    String(value),
  ) as unknown as string[];
  if (exponent === undefined) return String(value);
  const digits = whole! + fraction;
  const point = whole!.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
