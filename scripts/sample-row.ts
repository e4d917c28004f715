import type { RowErrorCode } from '../src/errors.ts';

export interface SampleRow {
  readonly cells: Readonly<Record<string, string>>;
  /** What is wrong with it on purpose. */
  readonly error?: RowErrorCode;
}
