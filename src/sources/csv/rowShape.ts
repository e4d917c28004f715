/** Records that are no rows of their own: blank ones, and the header once more. */
import { normalizeHeader } from './header.ts';

/** Whether no cell holds anything. */
export function isBlankRow(cells: readonly string[]): boolean {
  for (const cell of cells) if (cell !== '' && (cell.charCodeAt(0) > SPACE || cell.trim() !== '')) return false;
  return true;
}

const SPACE = 0x20;
export const isAsciiLetter = (code: number): boolean => (code | SPACE) >= 0x61 && (code | SPACE) <= 0x7a;

/** Whether a record is the header once more, as in files that were joined. */
export function headerTest(header: readonly string[]): (cells: readonly string[]) => boolean {
  const names = header.map((name, i) =>
    name === `column_${i + 1}` ? '' : normalizeHeader(writtenAs(name, i, header)),
  );
  const initial = names[0]?.charCodeAt(0) ?? Number.NaN;
  const plain = isAsciiLetter(initial);
  return (cells) => {
    // Few rows begin like the header: the others need no closer look.
    if (plain && isAsciiLetter(cells[0]!.charCodeAt(0)) && (cells[0]!.charCodeAt(0) | SPACE) !== initial) return false;
    if (cells.length !== names.length) return false;
    return cells.every((cell, i) => normalizeHeader(cell) === names[i] || cell.trim() === header[i]);
  };
}

/** `Notes 2` stands for a second `Notes`. */
function writtenAs(name: string, index: number, header: readonly string[]): string {
  const first = name.replace(/ \d+$/, '');
  return header.slice(0, index).includes(first) ? first : name;
}
