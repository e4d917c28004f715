const QUOTE = 0x22;

/** Units of the largest cell of a well-formed record, without the quotes around it. */
export function largestCell(record: Uint8Array, delimiter: number): number {
  let largest = 0;
  let cell = 0;
  let quoted = false;
  for (let i = 0; i <= record.length; i++) {
    const unit = record[i];
    if (quoted) {
      if (unit !== QUOTE) continue;
      if (record[i + 1] === QUOTE) i++;
      else quoted = false;
    } else if (unit === QUOTE && i === cell) {
      quoted = true;
    } else if (unit === delimiter || i === record.length) {
      largest = Math.max(largest, i - cell - (record[cell] === QUOTE ? 2 : 0));
      cell = i + 1;
    }
  }
  return largest;
}
