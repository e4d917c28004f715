/** What was noticed in a file that is no reject: it is counted, and said at the end. */

export interface Remark {
  readonly count: number;
  /** Of so many, where a share says more. */
  readonly of?: number;
  /** Physical line of the first, 1-based. */
  readonly line?: number;
  /** The same where rows have no lines. */
  readonly row?: number;
  /** A word for the sentence, never a cell's value. */
  readonly detail?: string;
}

/** By code. */
export type Remarks = Readonly<Record<string, Remark>>;

const lines = (n: number) => `${n} line${n === 1 ? '' : 's'}`;
const cells = (n: number) => `${n} cell${n === 1 ? '' : 's'}`;
const rows = (n: number) => `${n} row${n === 1 ? '' : 's'}`;

/** The sentence of each code. */
const SENTENCES = {
  OTHER_DATE_ORDER: ({ count, of, detail }) => `${count} of ${of} dates only fit ${detail}: --date-order ${detail}`,
  TITLE_ROWS: ({ count, detail }) => `${lines(count)} above the header on line ${detail} passed over`,
  NULL_WORDS: ({ count }) =>
    `${cells(count)} with a word for nothing (NULL, #N/A, ...) read as empty; --null-words says which`,
  SHARED_CONTACT: ({ count, detail }) =>
    `${rows(count)} with an e-mail or phone of a plaintiff whose name differs: each has a plaintiff of its own (${detail}${count > 1 ? ', ...' : ''}); --match contact gives it to the first`,
  HTML_ENTITIES: ({ count }) => `${cells(count)} with HTML entities (&amp;); --decode-html decodes them`,
  TWICE_DECODED: ({ count }) =>
    `${cells(count)} with text that was decoded twice (JosÃ© for José); export the file anew`,
  SEVERAL_ADDRESSES: ({ count }) =>
    `${cells(count)} with several e-mail addresses: the first is taken, all stay in the raw row`,
  SEVERAL_PHONES: ({ count }) =>
    `${cells(count)} with several phone numbers: the first is taken, all stay in the raw row`,
  WINDOWS_1252: ({ count }) => `${rows(count)} with bytes beyond ASCII, read as Windows-1252; --encoding says another`,
  OTHER_CODE_PAGE: ({ detail = '' }) =>
    `the letters beyond ASCII look like ${detail}: look at a dry run with --encoding ${detail.split(' ')[0]}`,
  FIRM_AS_NAME: ({ count }) => `${rows(count)} without the name of a person, taken under the name of the organization`,
  BACKSLASH_QUOTES: ({ count }) =>
    `${rows(count)} with a backslash before quotes; export the file with quotes doubled ("")`,
  BIDI_CONTROLS: ({ count }) => `${cells(count)} with signs that reverse the direction of text`,
  BLANK_ROWS: ({ count }) => `${rows(count)} without any value left out`,
  TRAILING_DELIMITERS: ({ detail }) => `every row has ${detail} more than the header, empty at its end`,
  TIME_LIMIT: ({ count, detail }) =>
    `${count} part${count === 1 ? '' : 's'} ran into the time limit of the database and ${count === 1 ? 'was' : 'were'} done in slices of ${detail} keys: let statements of the role run longer (statement_timeout), or set INTAKE_PARTITION_ROWS=${detail}`,
  STAGING_TIME_LIMIT: ({ count, detail }) =>
    `${count} chunk${count === 1 ? '' : 's'} ran into the time limit of the database and ${count === 1 ? 'was' : 'were'} staged in pieces of ${detail} rows: let statements of the role run longer (statement_timeout), or make chunks smaller (INTAKE_CHUNK_BYTES; of a directory --batch-size)`,
  MISSING_DELIMITERS: ({ detail }) => `every row has ${detail} less than the header; the last are read as empty`,
} as const satisfies Record<string, (remark: Remark) => string>;

export type RemarkCode = keyof typeof SENTENCES;

export const REMARK_CODES = Object.keys(SENTENCES) as RemarkCode[];

/** The sentence of a remark, with its first line where it has one; undefined for one that says nothing. */
export function remarkSentence(code: string, remark: Remark): string | undefined {
  if (remark.count === 0 || !Object.hasOwn(SENTENCES, code)) return undefined;
  return SENTENCES[code as RemarkCode](remark) + firstPlace(remark);
}

/** As documents have them. */
export const remarkDocuments = (
  remarks: Remarks,
): { code: string; count: number; line: number | null; message: string }[] =>
  Object.entries(remarks).flatMap(([code, remark]) => {
    const message = remarkSentence(code, remark);
    return message === undefined ? [] : [{ code, count: remark.count, line: remark.line ?? null, message }];
  });

const firstPlace = ({ line, row }: Remark): string =>
  line !== undefined ? ` (first on line ${line})` : row !== undefined ? ` (first in row ${row})` : '';

/** Adds the remarks of one part of a file to those of others. */
export function addRemarks(all: Record<string, Remark>, part: Remarks = {}): void {
  for (const [code, { count, of, line, row, detail }] of Object.entries(part)) {
    const known = all[code];
    const word = detail ?? known?.detail;
    const firstOf = (here?: number, there?: number) => Math.min(here ?? Infinity, there ?? Infinity);
    const [firstLine, firstRow] = [firstOf(line, known?.line), firstOf(row, known?.row)];
    all[code] = {
      count: count + (known?.count ?? 0),
      ...(of === undefined ? {} : { of: of + (known?.of ?? 0) }),
      ...(firstLine === Infinity ? {} : { line: firstLine }),
      ...(firstRow === Infinity ? {} : { row: firstRow }),
      ...(word === undefined ? {} : { detail: word }),
    };
  }
}

/** Says of a chunk that it was staged in pieces of so many rows. */
export const piecesRemark = (rows: number | void): Remarks =>
  rows ? { STAGING_TIME_LIMIT: { count: 1, detail: String(rows) } } : {};
