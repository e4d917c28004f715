/** What the benchmark can be about: a file or directory, who imports it, and what must come of it. */
import type { Client } from 'pg';
import type { Contender, Counts, Course } from '../contenders/contender.ts';
import type { Ratio } from '../table.ts';

export interface Subject {
  /** Its word on the command line and in the names of its files. */
  readonly name: string;
  /** Import kind of the file. */
  readonly kind: string;
  /** What is counted. */
  readonly unit: 'rows' | 'files';
  /** How many unless asked otherwise. */
  readonly rows: number;
  /** Size of an image unless asked otherwise, where there are any. */
  readonly imageBytes?: number;
  readonly contenders: readonly Contender[];
  readonly ratios: readonly Ratio[];
  /** Makes the file of a seed in a directory, unless it is there. */
  filesOf(dir: string, rows: number, seed: number, imageBytes?: number): Promise<Pick<Course, 'file' | 'cleanedFile'>>;
  /** What the first rows of a file were made to give. */
  expected(rows: number, seed: number): Counts;
  /** What stands in Intake's tables, under the same names and more. */
  count(database: Client): Promise<Counts>;
}
