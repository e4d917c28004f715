/** All numeric dates of a file, before anything is claimed: whether they are in the order that nobody has stated. */
import { IntakeError } from '../errors.ts';
import { csvKindNamed } from '../kinds/index.ts';
import { cellReader, mapHeader } from '../sources/csv/columns.ts';
import type { Dialect } from '../sources/csv/dialect.ts';
import type { RecordVisitor } from '../sources/csv/scanFile.ts';
import { orderOf } from '../values/date.ts';
import { originalWidth, type ChunkSource } from './readRows.ts';

type Question = Pick<ChunkSource, 'kind' | 'map' | 'dateOrder' | 'rowCells'>;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const EQUALS = 0x3d;
/** Longer text is no numeric date with a time. */
const LONGEST = 64;

/** Looks at the records of a file while it is scanned, at their date columns only; no cell but a numeric date becomes a text. */
export class DateSurvey {
  /** Numeric dates by the orders that they fit. */
  readonly seen = { mdy: 0, dmy: 0, both: 0 };
  readonly #question: Question;
  readonly #delimiter: number;
  readonly #widths: readonly (number | undefined)[];
  readonly #columns: readonly string[];
  readonly #read: ReturnType<typeof cellReader>;
  /** By place in the record: whether a date is read from it. */
  readonly #wanted: readonly boolean[];
  /** Places of which several make one date: their texts are kept whatever they say. */
  readonly #joined: ReadonlySet<number>;
  /** The dates of the record that is looked at, by place. */
  readonly #cells: string[];

  /** @throws IntakeError as `mapHeader`. */
  constructor(header: readonly string[], dialect: Dialect, question: Question) {
    const kind = csvKindNamed(question.kind);
    const mapping = mapHeader(header.slice(0, originalWidth(header)), kind, question.map);
    this.#question = question;
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#widths = [header.length, question.rowCells];
    this.#read = cellReader(kind, mapping);
    this.#columns = kind.dates.filter((column) => this.#read(header, column) !== undefined);
    const places = new Set<number | undefined>();
    for (const [i, { name }] of kind.columns.entries()) {
      if (!this.#columns.includes(name)) continue;
      for (const place of mapping.parts.get(i) ?? [mapping.positions[i]]) places.add(place);
    }
    this.#joined = new Set([...mapping.parts.values()].flat());
    this.#wanted = header.map((_, place) => places.has(place));
    this.#cells = header.map(() => '');
  }

  /** Whether there is anything to look at. */
  get isNeeded(): boolean {
    return this.#columns.length > 0;
  }

  readonly visit: RecordVisitor = (units, start, end) => {
    const cells = this.#cells;
    const wanted = this.#wanted;
    const delimiter = this.#delimiter;
    let at = start;
    let width = 0;
    let isRagged = false;
    for (;;) {
      let from = at;
      let unit = units[at]!;
      if (unit <= SPACE && unit !== delimiter) {
        while (from < end && (unit === SPACE || unit === TAB) && unit !== delimiter) unit = units[++from]!;
      }
      let to: number;
      if (unit === QUOTE && from < end) {
        to = units.indexOf(QUOTE, ++from);
        while (to + 1 < end && units[to + 1] === QUOTE) to = units.indexOf(QUOTE, to + 2);
        at = to + 1;
      } else {
        // What a spreadsheet wraps, ="1,5", is one cell.
        if (unit === EQUALS && units[from + 1] === QUOTE) at = units.indexOf(QUOTE, from + 2);
        while (at < end && units[at] !== delimiter) at++;
        to = at;
      }
      if (width >= wanted.length) isRagged ||= !isEmpty(units, from, to);
      else if (wanted[width])
        cells[width] = this.#joined.has(width) ? textOf(units, from, to) : numericDate(units, from, to);
      width++;
      if (at >= end) break;
      at++;
    }
    if (isRagged || !this.#widths.includes(width)) return; // no row
    for (let place = width; place < cells.length; place++) cells[place] = '';
    for (const column of this.#columns) {
      const order = orderOf(this.#read(cells, column));
      if (order !== undefined) this.seen[order]++;
    }
  };

  /** @throws IntakeError DATE_ORDER_UNCLEAR where at least as many dates fit the other order alone as fit the assumed one alone. */
  requireOrder(): void {
    const { seen } = this;
    const assumed = this.#question.dateOrder;
    const other = assumed === 'mdy' ? 'dmy' : 'mdy';
    if (seen[other] === 0 || seen[other] < seen[assumed]) return;
    const all = seen.mdy + seen.dmy + seen.both;
    throw new IntakeError(
      'DATE_ORDER_UNCLEAR',
      `${seen[other]} of ${all} dates only fit ${other}, and no order is stated`,
      {
        remedy: `Write --date-order ${other}; with --date-order ${assumed} they are rejects.`,
      },
    );
  }
}

/** A cell that may be a numeric date, without blanks and what is not ASCII around it; the empty text for any other. */
function numericDate(units: Uint8Array, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(units[from]!)) from++;
  while (to > from && isBlank(units[to - 1]!)) to--;
  // One or two digits and what stands between the parts: most cells of another form end here.
  const second = isDigit(units[from]!) ? from + (isDigit(units[from + 1]!) ? 2 : 1) : to;
  if (second >= to || isDigit(units[second]!) || to - from > LONGEST) return '';
  return textOf(units, from, to);
}

function textOf(units: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < Math.min(to, from + LONGEST); at++) text += String.fromCharCode(units[at]!);
  return text;
}

function isEmpty(units: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (units[at]! > SPACE) return false;
  return true;
}

const isBlank = (unit: number): boolean => unit <= SPACE || unit >= 0x80;
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;
