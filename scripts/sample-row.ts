export interface SampleRow {
  readonly cells: Readonly<Record<string, string>>;
  /** What is wrong with it on purpose. */
  readonly error?: string;
}
