/** What an import kind is: everything that depends on it, in one object. Pure: runs in parse threads and in the CLI. */
import type { RowErrorCode } from '../errors.ts';
import type { Format } from '../sources/csv/columnSet.ts';

export interface RowContext {
  readonly sourceSystem: string;
  readonly dateOrder: DateOrder;
}

export type DateOrder = 'mdy' | 'dmy';

/** @typeParam Code the row errors that are the kind's own. */
export interface StagedRow<Code extends string = string> {
  /** Natural key, hex SHA-256: it also decides the partition. */
  readonly key: string;
  /** In the order of the kind's `stageColumns`. */
  readonly values: readonly (string | null)[];
  readonly error?: RowErrorCode | Code;
  /** Column of the error, ours. */
  readonly column?: string;
}

/** One line of an import's summary: `Effects:  3 plaintiffs created, 1 matched`. */
export interface EffectLine {
  readonly label: string;
  /** Counter -> the words after its number. */
  readonly counters: Readonly<Record<string, string>>;
  /** Between two counters; a comma unless said otherwise. */
  readonly separator?: string;
  /** Counters in capitals follow in parentheses, the highest first. */
  readonly byType?: boolean;
}

/** What an import counts besides rows, and what its rollback counts: counter -> words, and where each is shown. */
export interface Effects {
  /** Lines of the summary. */
  readonly summary: readonly EffectLine[];
  /** Whether these lines are shown when every counter is 0. */
  readonly showZero?: boolean;
  /** All counters stand in the document's `metadata.effects`. */
  readonly inDocument?: boolean;
  /** What a rollback removed besides the rows of the production table. */
  readonly removed: Readonly<Record<string, string>>;
  /** What a rollback had to leave: a sentence after the number. */
  readonly left?: Readonly<Record<string, string>>;
  /** Lists of ids in a rollback's `kept_edited`: what they are ids of. */
  readonly keptIds: Readonly<Record<string, string>>;
  /** Words for columns in what differs, where the column's name is longer than people say. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Options of `intake import` that only some kinds take. */
export type KindOption =
  | 'match'
  | 'onConflict'
  | 'tenant'
  | 'statesDir'
  | 'tag'
  | 'delta'
  | 'verifyWrites'
  | 'singleFile'
  | 'imagesDir'
  | 'batchSize'
  | 'maxWorkers'
  | 'maxConcurrentUploads';

/** Rows that a completed run must have, for `intake smoke`. */
export interface ExpectedRows {
  readonly table: string;
  readonly where: readonly [column: string, value: string];
  readonly expected: number;
}

export interface Kind {
  readonly name: string;
  /** Other words for it on the command line. */
  readonly aliases: readonly string[];
  readonly title: string;
  /** `--source-system` when none is given. */
  readonly defaultSource: string;
  /** Suffix of its SQL functions and name of its stage table and of its production table. */
  readonly table: string;
  /** Stage columns it fills, the key first. */
  readonly stageColumns: readonly string[];
  /** Rows are matched with each other and with the tables once per run, before upsert, by SQL's `resolve_<table>`. */
  readonly resolves?: boolean;
  /** SQL tells what became of each row (`read_operations`, `plan_operations`): the document lists it. */
  readonly operations?: boolean;
  /** The source system is a tenant: `--tenant` is another word for it. */
  readonly sourceIsTenant?: boolean;
  /** Column of the production table with the run that wrote a row last; `import_run_id` unless said otherwise. */
  readonly runColumn?: string;
  /** A file of records, or a directory of files. */
  readonly reads: 'csv' | 'directory';
  /** Row errors that no other kind has: code -> sentence, what is wrong and how to fix it, without values. */
  readonly rowErrors: Readonly<Record<string, string>>;
  readonly effects: Effects;
  /** Options of `intake import` that it takes besides those of every kind. */
  readonly options: readonly KindOption[];
  /** Tables with its rows that nobody but the service may read. */
  readonly personalTables: readonly string[];
  /** File or directory below `samples/`. */
  readonly sample: string;
  /** In the dashboard's charts, on a light and on a dark page. */
  readonly colour: { readonly light: string; readonly dark: string };
}

/** @typeParam Code the row errors that are the kind's own. */
export interface CsvKind<Code extends string = string> extends Kind, Format {
  readonly reads: 'csv';
  /** How numeric dates are read where nobody says so. */
  readonly dateOrder: DateOrder;
  /** Columns whose text names something: what a spreadsheet has converted there is a reject. */
  readonly identifiers: readonly string[];
  /** Its columns of dates. */
  readonly dates: readonly string[];
  readonly rowErrors: Readonly<Record<Code, string>>;
  /** Kinds of one family are mistaken for each other: one that is named refuses the file of another by fewer of its words. */
  readonly family?: string;
  /** Reads one record; `cell` gives the text under one of our columns, undefined where the file has no such column. */
  row(cell: (column: string) => string | undefined, context: RowContext): StagedRow<Code>;
}

export interface DirectoryKind extends Kind {
  readonly reads: 'directory';
  /** Its datasets are of this kind in `public.datasets`. */
  readonly dataset: string;
  /** JSON Schema of its files. */
  readonly schema: object;
  /** What a run wrote besides rows of the production table. */
  alsoWritten(run: {
    readonly id: string;
    readonly datasetId: number | undefined;
    readonly effects: Readonly<Record<string, number>>;
  }): readonly ExpectedRows[];
}
