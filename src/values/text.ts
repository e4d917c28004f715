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

const DIGIT = /\p{Nd}/u;
/** Digits of other scripts (Arabic, Devanagari, fullwidth) as those of ours. */
export function asciiDigits(value: string): string {
  if (!/[^\0-\x7f]/.test(value)) return value;
  return value.replace(/[^\0-\x7f]/gu, (sign) => {
    if (!DIGIT.test(sign)) return sign;
    // Each script has its ten digits in a row, the zero first.
    let zero = sign.codePointAt(0)!;
    while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
    return String((sign.codePointAt(0)! - zero) % 10);
  });
}

/** As it is typed in a shell. */
export const shellWord = (text: string): string =>
  /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
