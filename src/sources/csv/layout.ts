/** What the beginning of a file says: its encoding, delimiter and line ends, where its header is and what its columns mean. */
import { IntakeError } from '../../errors.ts';
import { addRemarks, type Remark, type Remarks } from '../../messages/remarks.ts';
import { mapHeader } from './columns.ts';
import type { ColumnSet, HeaderMapping } from './columnSet.ts';
import { CONTROL_COLUMNS, hasControls } from './controls.ts';
import { detectDialect, type Delimiter, type Dialect } from './dialect.ts';
import { decode, detectEncoding, unitBytes, type DetectedEncoding, type Encoding } from './encoding.ts';
import { readHeader, type Header } from './header.ts';
import { parseChunk } from './parse.ts';
import { unitsOf } from './units.ts';

/** Enough for any header and for the look of the first records. */
export const HEAD_BYTES = 1024 * 1024;

/** Lines above a header that may be titles. */
export const MOST_TITLES = 20;
/** Excel's line for the delimiter. */
const SEPARATOR = /^"?sep=(.)"?$/i;
const LF = 0x0a;
const CR = 0x0d;

export interface LayoutOptions {
  readonly encoding?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Physical line of the header, 1-based; found where it is not given. */
  readonly headerRow?: number | undefined;
  readonly map?: Readonly<Record<string, string>> | undefined;
}

export interface Layout extends DetectedEncoding, Dialect {
  /** Bytes before the header: a byte order mark, titles. */
  readonly bomBytes: number;
  /** Physical line on which the header's part begins, 1-based. */
  readonly headerLine: number;
  readonly header: Header;
  /** The file is one of rejects: the last columns are controls. */
  readonly controls: boolean;
  /** Of the columns without controls. */
  readonly mapping: HeaderMapping;
  /** See `ParseChunkOptions`. */
  readonly rowCells: number | undefined;
  readonly remarks: Remarks;
}

/** Where a header may begin. */
interface Place {
  readonly offset: number;
  readonly line: number;
  readonly delimiter?: string | undefined;
}

/**
 * Reads the layout of a file from its first bytes. The header is the first record, behind Excel's `sep=`; where that lacks a
 * required column, the first of the lines below it that has all of them.
 * @param whole whether the head is the whole file.
 * @throws IntakeError what `detectEncoding`, `detectDialect`, `readHeader` and `mapHeader` throw; MISSING_COLUMNS of the first record.
 */
export function readLayout(head: Buffer, whole: boolean, set: ColumnSet, options: LayoutOptions = {}): Layout {
  const detected = detectEncoding(head, options.encoding);
  const lines = linesOf(head, detected, options.headerRow ?? MOST_TITLES);
  const given = options.delimiter;
  const first = firstPlace(head, lines, detected, options);
  const read = (place: Place) =>
    layoutAt(head, whole, set, { ...options, delimiter: given ?? place.delimiter }, detected, place);
  try {
    return withTitles(read(first), first.line - 1);
  } catch (error) {
    if (options.headerRow !== undefined || !isMissing(error)) throw error;
    for (const place of lines.filter(({ line }) => line > first.line)) {
      try {
        return withTitles(read({ ...place, delimiter: first.delimiter }), place.line - 1);
      } catch (other) {
        if (!(other instanceof IntakeError)) throw other;
      }
    }
    throw error;
  }
}

/** Of a set that knows no word. */
export const ANY_HEADER: ColumnSet = { columns: [], required: [] };

/** The header that `readLayout` reads, or has read when it threw, by the names under which cells are kept; none where it cannot be read. */
export function headerTexts(head: Buffer, whole: boolean, set: ColumnSet, options: LayoutOptions): readonly string[] {
  const attempts = [
    () => readLayout(head, whole, set, options),
    () => {
      const detected = detectEncoding(head, options.encoding);
      const lines = linesOf(head, detected, options.headerRow ?? MOST_TITLES);
      const first = firstPlace(head, lines, detected, options);
      const delimiter = options.delimiter ?? first.delimiter;
      return layoutAt(head, whole, ANY_HEADER, { delimiter }, detected, first);
    },
  ];
  for (const attempt of attempts) {
    try {
      return attempt().header.names;
    } catch (error) {
      if (!(error instanceof IntakeError)) throw error;
    }
  }
  return [];
}

const firstPlace = (
  head: Buffer,
  lines: readonly Place[],
  { encoding }: DetectedEncoding,
  { headerRow }: LayoutOptions,
): Place => (headerRow === undefined ? afterSeparator(head, lines, encoding) : lines.at(-1)!);

/** Also a header of `--map`, which a title has not. */
const isMissing = (error: unknown): boolean =>
  error instanceof IntakeError && /^(?:MISSING_COLUMNS|HEADER_UNREADABLE|UNKNOWN_COLUMN)$/.test(error.code);

function withTitles(layout: Layout, count: number): Layout {
  if (count === 0) return layout;
  return { ...layout, remarks: { ...layout.remarks, TITLE_ROWS: { count, detail: String(layout.headerLine) } } };
}

/** Where the first physical lines begin that are not blank. */
export function linesOf(head: Buffer, { encoding, bomBytes }: DetectedEncoding, most: number): Place[] {
  const width = unitBytes(encoding);
  const units = unitsOf(head.subarray(bomBytes), encoding);
  const lines: Place[] = [{ offset: bomBytes, line: 1 }];
  for (let at = 0; at < units.length && lines.length < most; at++) {
    if (units[at] !== LF && (units[at] !== CR || units[at + 1] === LF)) continue;
    lines.push({ offset: bomBytes + (at + 1) * width, line: lines.length + 1 });
  }
  return lines;
}

function afterSeparator(head: Buffer, lines: readonly Place[], encoding: Encoding): Place {
  const [first, second] = lines as [Place, Place | undefined];
  const text = second && decode(head.subarray(first.offset, second.offset), encoding).trim();
  const delimiter = text === undefined ? undefined : SEPARATOR.exec(text)?.[1];
  return delimiter === undefined || !second ? first : { ...second, delimiter };
}

/** The layout of a file whose header begins there. */
export function layoutAt(
  head: Buffer,
  whole: boolean,
  set: ColumnSet,
  { delimiter: given, map }: LayoutOptions,
  detected: DetectedEncoding,
  { offset, line }: Place,
): Layout {
  const { encoding, certain } = detected;
  const body = head.subarray(offset);
  const { delimiter, newline } = detectDialect(body, encoding, given);
  if (delimiter === '|' && /^(?:shift_jis|big5|gbk|gb18030)$/.test(encoding))
    throw new IntakeError('USAGE', `In ${encoding} a pipe may be half of a character`, {
      remedy: 'Save the file as UTF-8, or export it with another delimiter.',
    });
  const format = { encoding, delimiter, newline };
  const header = readHeader(body, { ...format, bomBytes: 0, line });
  const controls = hasControls(header.written);
  const ours = header.written.slice(0, controls ? -CONTROL_COLUMNS.length : undefined);
  const mapping = mapHeader(ours, set, map, header.names.slice(0, ours.length));
  const remarks: Record<string, Remark> = {};
  const rowCells = controls ? undefined : usualCells(body, whole, header, mapping, format);
  if (rowCells !== undefined) addRemarks(remarks, surplus(rowCells - ours.length));
  return { ...format, certain, bomBytes: offset, headerLine: line, header, controls, mapping, rowCells, remarks };
}

function surplus(by: number): Remarks {
  const n = Math.abs(by);
  const detail = n === 1 ? 'one cell' : `${n} cells`;
  return { [by > 0 ? 'TRAILING_DELIMITERS' : 'MISSING_DELIMITERS']: { count: 1, detail } };
}

/**
 * The number of cells that every record of the head has, where it is not the header's and yet plain what they are: more, and
 * those beyond the header are empty; or fewer, and the header's last cells are empty, none of ours, or all headers are ours, so
 * that no header was cut in two.
 */
function usualCells(
  body: Buffer,
  whole: boolean,
  { written }: Header,
  { positions, unmapped }: HeaderMapping,
  format: { encoding: Encoding; delimiter: Delimiter; newline: Dialect['newline'] },
): number | undefined {
  const records = [...parseChunk(body, { ...format, columns: written.length, line: 1, firstRow: 0 })].slice(1);
  if (!whole) records.pop();
  const readable = records.flatMap(({ cells }) => (cells === undefined ? [] : [cells]));
  const count = readable[0]?.length;
  if (count === undefined || count === written.length || readable.some(({ length }) => length !== count))
    return undefined;
  if (count > written.length)
    return readable.every((cells) => cells.slice(written.length).every((cell) => cell.trim() === ''))
      ? count
      : undefined;
  const lastAreFree = !positions.some((place) => place !== undefined && place >= count);
  return lastAreFree || unmapped.length === 0 ? count : undefined;
}
