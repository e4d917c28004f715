/** What a contender gets, and what it reports of one run. */
import type { Client } from 'pg';
import type { Stack } from '../../src/local/stack.ts';
import type { ImportReport } from '../../src/messages/imports.ts';

export type Counts = Readonly<Record<string, number>>;

export interface Course {
  readonly stack: Stack;
  /** An own connection for looks between the steps, never for the work that is measured. */
  readonly database: Client;
  /** The file is of this import kind. */
  readonly kind: string;
  /** Of a directory: files. */
  readonly rows: number;
  readonly seed: number;
  /** Plaintiffs that are there before. */
  readonly into?: number;
  /** The file or directory, and the same without the rows that COPY refuses. */
  readonly file: string;
  readonly cleanedFile: string;
  /** A directory for what is prepared before the clock starts. */
  readonly workDir: string;
  /** What stands in Intake's tables. */
  count(): Promise<Counts>;
}

export interface Outcome {
  readonly seconds: number;
  /** Of a contender that takes only the first rows of the file. */
  readonly rows?: number;
  /** Of a contender whose rows become what Intake's become: contenders must agree on every number that two of them give. */
  readonly counts?: Counts;
  readonly workerPeakMb?: number;
  /** Events of the longest history. */
  readonly events?: number;
  readonly phases?: ImportReport['phases'];
}

export interface Contender {
  readonly name: string;
  /** One line for the reader of the table. */
  readonly about: string;
  /** Why it cannot run here, if so. */
  missing(): string | undefined;
  /** Goes on from what this contender left: the tables are not emptied between the two. */
  readonly follows?: string;
  /** One run over emptied tables, unless it follows another; the clock covers the contender's work only. */
  run(course: Course): Promise<Outcome>;
}
