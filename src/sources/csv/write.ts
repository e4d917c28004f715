export type CsvValue = string | number | bigint | boolean | null | undefined;

/** A cell as CSV: quoted where it holds a comma, a quote, a line end or blanks at its ends; null is an empty cell. */
export function csvCell(value: CsvValue): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export interface CsvLineOptions {
  /** Puts `'` before a cell that a spreadsheet would take for a formula; on for every CSV we write but rejects. */
  readonly escapeFormulas: boolean;
}

/** One line of CSV with its line end (`\n`). */
export function csvLine(cells: readonly CsvValue[], options: CsvLineOptions): string {
  const line = cells.map((cell) => csvCell(options.escapeFormulas ? escapeFormula(cell) : cell)).join(',');
  return `${line}\n`;
}

/** Numbers stay numbers: only text can smuggle in a formula. Spreadsheets take the fullwidth signs, too. */
function escapeFormula<T>(cell: T): T | string {
  return typeof cell === 'string' && /^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell;
}
