/** What a contender gets, and what it reports of one run. */
import type { Client } from 'pg';
import type { Stack } from '../../src/local/stack.ts';
import type { ImportReport } from '../../src/workflows/messages.ts';

export interface Course {
  readonly stack: Stack;
  /** An own connection for looks between the steps, never for the work that is measured. */
  readonly database: Client;
  readonly rows: number;
  readonly seed: number;
  /** The file, and the same without the rows that COPY refuses. */
  readonly file: string;
  readonly cleanedFile: string;
  /** A directory for what is prepared before the clock starts. */
  readonly workDir: string;
}

export interface Outcome {
  readonly seconds: number;
  /** Of a contender whose rows become plaintiffs as Intake's do. */
  readonly plaintiffs?: number;
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
  /** One run over emptied tables; the clock covers the contender's work only. */
  run(course: Course): Promise<Outcome>;
}
