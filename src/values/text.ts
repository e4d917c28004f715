/** Blanks as operators see them: Unicode white space, control separators, no-break spaces and the byte order mark. */
const EDGES = /^[\s\u001c-\u001f\u0085]+|[\s\u001c-\u001f\u0085]+$/g;

/** Trims a cell; an empty one becomes null. */
export function text(cell: string | null | undefined): string | null {
  if (cell === null || cell === undefined || cell === '') return null;
  const first = cell.charCodeAt(0);
  const last = cell.charCodeAt(cell.length - 1);
  if (first > 0x20 && first < 0x7f && last > 0x20 && last < 0x7f) return cell;
  const trimmed = cell.replace(EDGES, '');
  return trimmed === '' ? null : trimmed;
}
