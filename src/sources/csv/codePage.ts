/** Bytes that are not UTF-8: whether they make Latin words in Windows-1252, and what they look like if they do not. */
import { IntakeError } from '../../errors.ts';

/** So much of a file is looked at. */
const SAMPLE_BYTES = 256 * 1024;
/** A share of signs that no Latin word has where it is. */
const FOREIGN = 0.25;

const windows1252 = new TextDecoder('windows-1252');
const HIGH_RUN = /[^\0-\x7f]+/g;
const QUOTES = /[\u2018-\u201a\u201c-\u201e\u2039\u203a\u00ab\u00bb]/u;
/** Signs that stand beside letters in Latin text: degree, ordinals, trade marks, dots, soft hyphen, no-break space. */
const BESIDE = /[\u00a0\u00a7\u00a9\u00aa\u00ad\u00ae\u00b0\u00b4\u00b7\u00ba]/u;
const CURRENCY = /[\u20ac\u00a2-\u00a5]/u;
const OPENING = /[\u00a1\u00bf]/u;
const DASHES = /[\u2013\u2014\u2022\u2026\u2122]/u;
const OTHERS = [QUOTES, BESIDE, CURRENCY, OPENING, DASHES];
const LETTER = /\p{L}/u;
const ASCII_LETTER = /[a-z]/i;

/** Others that are looked for: label and the script that its text is in. */
const CANDIDATES: readonly (readonly [label: string, script: RegExp])[] = [
  ['macintosh', /^[\p{Script=Latin}\u2018-\u201d]+$/u],
  ['windows-1250', /^\p{Script=Latin}+$/u],
  ['windows-1251', /^\p{Script=Cyrillic}+$/u],
  ['koi8-r', /^\p{Script=Cyrillic}+$/u],
  ['windows-1253', /^\p{Script=Greek}+$/u],
  ['windows-1255', /^\p{Script=Hebrew}+$/u],
  ['windows-1256', /^\p{Script=Arabic}+$/u],
  ['windows-874', /^\p{Script=Thai}+$/u],
  ['shift_jis', /^[\p{Script=Hiragana}\u30a0-\u30ff\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+$/u],
  ['euc-jp', /^[\p{Script=Hiragana}\u30a0-\u30ff\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+$/u],
  ['euc-kr', /^[\uac00-\ud7a3\u3000-\u303f]+$/u],
  ['gb18030', /^[\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+$/u],
  ['big5', /^[\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+$/u],
];

/**
 * Refuses single bytes that make no Latin words.
 * @throws IntakeError ENCODING_UNCLEAR with what they look like.
 */
export function requireLatin(bytes: Buffer): void {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (isLatin(windows1252.decode(sample))) return;
  const names = likely(sample);
  const like = names.length === 0 ? '' : `; they look like ${names.join(' or ')}`;
  throw new IntakeError(
    'ENCODING_UNCLEAR',
    `The bytes beyond ASCII are neither UTF-8 nor words in Windows-1252${like}`,
    names.length === 0 ? {} : { remedy: `Look at a dry run with --encoding ${names[0]}, or save the file as UTF-8.` },
  );
}

/** Whether the signs beyond ASCII stand where Latin words have such. */
function isLatin(text: string): boolean {
  let all = 0;
  let foreign = 0;
  for (const { 0: run, index } of text.matchAll(HIGH_RUN)) {
    all += run.length;
    const before = text[index - 1] ?? '';
    const after = text[index + run.length] ?? '';
    if (run.replace(/[^\p{L}]/gu, '').length >= 3) foreign += run.length;
    else if (run.length === 1) foreign += isOdd(run, before, after) ? 1 : 0;
    else foreign += [...run].filter((sign) => !LETTER.test(sign) && !OTHERS.some((signs) => signs.test(sign))).length;
  }
  return all === 0 || foreign / all < FOREIGN;
}

/** A sign where no word has it: a control, a symbol beside letters, a capital behind a small letter, a quote between letters. */
function isOdd(sign: string, before: string, after: string): boolean {
  const behind = ASCII_LETTER.test(before);
  const ahead = ASCII_LETTER.test(after);
  if (sign < '\u00a0') return true;
  if (LETTER.test(sign)) return /[a-z]/.test(before) && sign !== sign.toLowerCase();
  if (BESIDE.test(sign) || sign === '\u2019') return false;
  if (CURRENCY.test(sign)) return ahead;
  if (OPENING.test(sign)) return behind;
  return QUOTES.test(sign) || DASHES.test(sign) ? behind && ahead : behind || ahead;
}

/** Labels in which the bytes make words of one script, the likeliest first. */
function likely(sample: Buffer): string[] {
  // The last line may end within a character.
  const whole = sample.subarray(0, sample.lastIndexOf(0x0a) + 1 || sample.length);
  const scored = CANDIDATES.flatMap(([label, script]) => {
    const score = scoreOf(whole, label, script);
    return score > 0.7 ? [{ label, score }] : [];
  });
  const best = Math.max(...scored.map(({ score }) => score));
  return scored
    .filter(({ score }) => score > best - 0.1)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ label }) => label);
}

function scoreOf(bytes: Buffer, label: string, script: RegExp): number {
  let text: string;
  try {
    text = new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return 0;
  }
  if (label === 'macintosh' || label === 'windows-1250') return isLatin(text) ? 0.8 : 0;
  const runs = text.match(HIGH_RUN) ?? [];
  // Words begin with a capital, if they have capitals at all: so the code pages of one script are told apart.
  const words = text.match(/(?<![a-z])[^\0-\x7f]+(?![a-z])/gi) ?? [];
  const right = words.filter((word) => script.test(word) && !/\p{Ll}\p{Lu}/u.test(word));
  return runs.length === 0 ? 0 : right.join('').length / runs.join('').length;
}
