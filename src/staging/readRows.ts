/** The records of a chunk, judged as their kind says. */
import { isAscii } from 'node:buffer';
import { CONTROL_COLUMNS, firstCells, hasControls, withoutControls } from '../sources/csv/controls.ts';
import { cellReader, mapHeader, placesOf } from '../sources/csv/columns.ts';
import type { Dialect } from '../sources/csv/dialect.ts';
import { decode, type Encoding } from '../sources/csv/encoding.ts';
import { parseChunk } from '../sources/csv/parse.ts';
import { ALL_ROW_ERRORS, csvKindNamed } from '../kinds/index.ts';
import type { DateOrder, StagedRow } from '../kinds/kind.ts';
import { isConverted, type Cleaning, type Notice } from '../sources/cleanText.ts';
import { cellCleaner } from '../sources/csv/cleanCells.ts';
import { isFooter } from '../sources/csv/footers.ts';
import { headerTest, isBlankRow } from '../sources/csv/rowShape.ts';
import { hasSeveralEmails, hasSeveralPhones } from '../values/contact.ts';
import { causeOf } from '../values/cause.ts';
import { orderOf } from '../values/date.ts';

export interface ChunkSource extends Dialect, Cleaning {
  readonly bytes: Uint8Array;
  readonly kind: string;
  readonly sourceSystem: string;
  readonly dateOrder: 'mdy' | 'dmy';
  readonly map: Readonly<Record<string, string>>;
  readonly header: readonly string[];
  /** Nobody named the encoding: it is what the bytes look like. */
  readonly isGuessed?: boolean | undefined;
  /** Cells that every row has, where they are not as many as the header's. */
  readonly rowCells?: number | undefined;
  readonly encoding: Encoding;
  /** Physical line of the chunk's first byte, 1-based. */
  readonly line: number;
  /** 0-based index of its first record. */
  readonly firstRow: number;
  /** The chunk is a piece of a record that is too large, the first of them if it has a row; it needs no bytes. */
  readonly tooLarge?: { readonly rows: number } | undefined;
}

export interface JudgedRow {
  readonly rowIndex: number;
  readonly line: number;
  /** Of the original columns; undefined where the record cannot be read. */
  readonly cells: readonly string[] | undefined;
  readonly row: StagedRow;
  /** See ParsedRecord. */
  readonly plain: boolean;
  readonly error: string | undefined;
  readonly message: string | undefined;
  /** The record's original bytes, without the control columns of a file of rejects; none where the chunk came without them. */
  record(): Buffer;
}

export function* readRows(source: ChunkSource, notice: Notice = () => undefined): Generator<JudgedRow> {
  const kind = csvKindNamed(source.kind);
  const chunk = Buffer.from(source.bytes.buffer, source.bytes.byteOffset, source.bytes.byteLength);
  const width = originalWidth(source.header);
  const mended = width < source.header.length;
  const mapping = mapHeader(source.header.slice(0, width), kind, source.map);
  const read = cellReader(kind, mapping);
  const { instead = new Map<number, number>(), ...direct } = mapping;
  const readOwn = cellReader(kind, direct);
  const clean = cellCleaner(chunk, placesOf(mapping), source, notice);
  const context = { sourceSystem: source.sourceSystem, dateOrder: source.dateOrder };
  if (source.tooLarge) {
    if (source.tooLarge.rows > 0)
      yield unread(
        source,
        kind.row(() => undefined, context),
      );
    return;
  }

  let cells: readonly string[] | undefined;
  let cleaned: readonly string[] | undefined;
  const cell = (column: string): string | undefined => read(cleaned, column);
  const wasConverted = (column: string): boolean => isConverted(cell(column));
  const endingIn = (word: string) => kind.columns.flatMap(({ name }) => (name.endsWith(word) ? [name] : []));
  const emails = endingIn('email');
  const phones = endingIn('phone');
  const isSingleByte = source.isGuessed && source.encoding === 'windows-1252' && !isAscii(chunk);
  const isHeader = headerTest(source.header.slice(0, width));
  for (const parsed of parseChunk(chunk, { ...source, columns: source.header.length, controls: mended })) {
    if (isSingleByte && !isAscii(parsed.bytes())) notice('WINDOWS_1252', { count: 1, line: parsed.line });
    cells = mended ? parsed.cells?.slice(0, width) : parsed.cells;
    if (cells && isBlankRow(cells)) {
      notice('BLANK_ROWS', { count: 1, line: parsed.line });
      continue;
    }
    const shape = cells && (isHeader(cells) ? 'HEADER_AGAIN' : isFooter(cells) ? 'FOOTER_ROW' : undefined);
    cleaned = cells && !shape ? clean(cells, parsed.line) : cells;
    if (!shape) for (const column of kind.dates) noticeOrder(cell(column), source.dateOrder, parsed.line, notice);
    const row = kind.row(cell, context);
    for (const { name } of [...instead.keys()].map((i) => kind.columns[i]!))
      if (!shape && !parsed.error && cell(name)?.trim() && readOwn(cleaned, name)?.trim() === '')
        notice('FIRM_AS_NAME', { count: 1, line: parsed.line });
    for (const column of emails)
      if (hasSeveralEmails(cell(column))) notice('SEVERAL_ADDRESSES', { count: 1, line: parsed.line });
    for (const column of phones)
      if (hasSeveralPhones(cell(column))) notice('SEVERAL_PHONES', { count: 1, line: parsed.line });
    const converted = kind.identifiers.find(wasConverted);
    const unread = shape ?? parsed.error;
    const escapes = parsed.error && decode(parsed.bytes(), source.encoding).includes('\\"');
    if (escapes) notice('BACKSLASH_QUOTES', { count: 1, line: parsed.line });
    const column = unread ? undefined : (converted ?? row.column);
    const error = unread ?? (converted ? 'SPREADSHEET_VALUE' : row.error);
    yield {
      rowIndex: parsed.rowIndex,
      line: parsed.line,
      cells,
      row,
      plain: parsed.plain && cleaned === cells,
      error,
      message:
        error && messageOf(error, column, column && cell(column), source.dateOrder) + (escapes ? ` ${ESCAPES}` : ''),
      record: () => {
        if (mended) return withoutControls(parsed.bytes(), width, source);
        return parsed.fitted ? firstCells(parsed.bytes(), width, source) : parsed.bytes();
      },
    };
  }
}

const ESCAPES = 'A backslash stands before its quotes; export the file with quotes doubled ("").';

function messageOf(error: string, column: string | undefined, cell: string | undefined, order: DateOrder): string {
  const cause = causeOf(error, cell, order);
  return `${column ? `${column}: ` : ''}${ALL_ROW_ERRORS[error]!}${cause ? ` ${cause}` : ''}`;
}

function noticeOrder(cell: string | undefined, given: DateOrder, line: number, notice: Notice): void {
  const order = cell ? orderOf(cell) : undefined;
  if (order === undefined) return;
  const other = order !== 'both' && order !== given;
  const detail = given === 'mdy' ? 'dmy' : 'mdy';
  notice('OTHER_DATE_ORDER', { count: other ? 1 : 0, of: 1, detail, ...(other ? { line } : {}) });
}

function unread({ firstRow, line }: ChunkSource, row: StagedRow): JudgedRow {
  const error = 'RECORD_TOO_LARGE';
  return {
    rowIndex: firstRow,
    line,
    cells: undefined,
    row,
    plain: false,
    error,
    message: ALL_ROW_ERRORS[error]!,
    record: () => Buffer.alloc(0),
  };
}

/** Columns of the header without the control columns of a file of rejects. */
export const originalWidth = (header: readonly string[]): number =>
  header.length - (hasControls(header) ? CONTROL_COLUMNS.length : 0);
