/** Bytes that make Latin words in Windows-1252 and better ones in the code page of a neighbour: names of Turkey, of Central Europe. */
import type { detect } from 'jschardet';
import type { Remarks } from '../../messages/remarks.ts';

/** Small letters beyond ASCII of each language that such a page is made for. */
const LETTERS: Readonly<Record<string, readonly [name: string, letters: string]>> = {
  cs: ['Czech', 'áčďéěíňóřšťúůýž'],
  sk: ['Slovak', 'áäčďéíĺľňóôŕšťúýž'],
  pl: ['Polish', 'ąćęłńóśźż'],
  hu: ['Hungarian', 'áéíóöőúüű'],
  hr: ['Croatian', 'čćđšž'],
  sl: ['Slovene', 'čćđšž'],
  sr: ['Serbian', 'čćđšž'],
  bs: ['Bosnian', 'čćđšž'],
  ro: ['Romanian', 'ăâîșşțţ'],
  tr: ['Turkish', 'çğıi̇öşüâîû'],
};
const PAGES = /^(?:windows-125[04]|iso-8859-(?:2|9))$/i;
/** So many letters are another one in the page: fewer may be chance. */
const TELLING = 3;
/** Of the letters beyond ASCII so many are the language's. */
const OWN = 0.95;
/** Enough for the library, and little to do. */
const SAMPLE_BYTES = 16 * 1024;

let library: Promise<typeof detect> | undefined;

/**
 * The page and language that the bytes look like, `windows-1254 (Turkish)`; undefined where Windows-1252 is as good. The library compares pairs of letters
 * with those of languages. It takes small lists of Spanish names for Hungarian, since both pages have their letters at one place: so its word counts only
 * where letters differ, and where they are the language's.
 */
export async function likelyPage(bytes: Buffer): Promise<string | undefined> {
  const lines = bytes.toString('latin1').match(/[^\r\n]*[\x80-\xff][^\r\n]*/g) ?? [];
  const sample = Buffer.from(lines.join('\n').slice(0, SAMPLE_BYTES), 'latin1');
  if (sample.length === 0) return undefined;
  const { encoding, language } = (await (library ??= import('jschardet').then(({ detect }) => detect)))(sample);
  const [name, letters] = LETTERS[language ?? ''] ?? [];
  if (!encoding || name === undefined || letters === undefined || !PAGES.test(encoding)) return undefined;
  const page = new TextDecoder(encoding);
  const there = [...page.decode(sample)].filter((sign) => sign > '\x7f');
  const here = [...new TextDecoder('windows-1252').decode(sample)].filter((sign) => sign > '\x7f');
  const isOwn = (sign: string): boolean => letters.includes(sign.toLowerCase());
  const telling = there.filter((sign, i) => sign !== here[i] && isOwn(sign)).length;
  const words = there.filter((sign) => /\p{L}/u.test(sign));
  return telling >= TELLING && words.filter(isOwn).length >= words.length * OWN
    ? `${page.encoding} (${name})`
    : undefined;
}

/** Says so of bytes that are read as Windows-1252 by their look. */
export async function pageRemark(bytes: Buffer): Promise<Remarks> {
  const detail = await likelyPage(bytes);
  return detail ? { OTHER_CODE_PAGE: { count: 1, detail } } : {};
}
