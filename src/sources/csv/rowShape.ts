/** Records that are no rows of their own: blank ones, and the header once more. */
import { normalizeHeader } from './header.ts';

/** Whether no cell holds anything. */
export const isBlankRow = (cells: readonly string[]): boolean =>
  cells.every((cell) => cell === '' || cell.trim() === '');

/** Whether a record is the header once more, as in files that were joined. */
export function headerTest(header: readonly string[]): (cells: readonly string[]) => boolean {
  const names = header.map((name, i) =>
    name === `column_${i + 1}` ? '' : normalizeHeader(writtenAs(name, i, header)),
  );
  const initial = names[0]?.[0];
  return (cells) => {
    // Few rows begin like the header: the others need no closer look.
    if (cells.length !== names.length || cells[0]!.trimStart()[0]?.toLowerCase() !== initial) return false;
    return cells.every((cell, i) => normalizeHeader(cell) === names[i] || cell.trim() === header[i]);
  };
}

/** `Notes 2` stands for a second `Notes`. */
function writtenAs(name: string, index: number, header: readonly string[]): string {
  const first = name.replace(/ \d+$/, '');
  return header.slice(0, index).includes(first) ? first : name;
}
