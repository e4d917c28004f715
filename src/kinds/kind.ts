/** What an import kind is: how what a file says becomes staged rows. Pure: runs in parse threads and in the CLI. */
import type { Format } from '../sources/csv/columns.ts';
import type { RowErrorCode } from '../errors.ts';

export interface RowContext {
  readonly sourceSystem: string;
  readonly dateOrder: 'mdy' | 'dmy';
}

export interface StagedRow {
  /** Natural key, hex SHA-256: it also decides the partition. */
  readonly key: string;
  /** In the order of the kind's `stageColumns`. */
  readonly values: readonly (string | null)[];
  readonly error?: RowErrorCode;
  /** Column of the error, ours. */
  readonly column?: string;
}

export interface Kind {
  readonly name: string;
  /** Other words for it on the command line. */
  readonly aliases: readonly string[];
  readonly title: string;
  /** `--source-system` when none is given. */
  readonly defaultSource: string;
  /** Suffix of its SQL functions and name of its stage table. */
  readonly table: string;
  /** Stage columns it fills, the key first. */
  readonly stageColumns: readonly string[];
  /** Rows are matched with each other and with the tables once per run, before upsert, by SQL's `resolve_<table>`. */
  readonly resolves?: boolean;
  /** The source system is a tenant: `--tenant` is another word for it. */
  readonly sourceIsTenant?: boolean;
  /** Column of the production table with the run that wrote a row last; `import_run_id` unless said otherwise. */
  readonly runColumn?: string;
  /** A file of records, or a directory of files. */
  readonly reads: 'csv' | 'directory';
}

export interface CsvKind extends Kind, Format {
  readonly reads: 'csv';
  /** Reads one record; `cell` gives the text under one of our columns, undefined where the file has no such column. */
  row(cell: (column: string) => string | undefined, context: RowContext): StagedRow;
}

export interface DirectoryKind extends Kind {
  readonly reads: 'directory';
  /** JSON Schema of its files. */
  readonly schema: object;
}
