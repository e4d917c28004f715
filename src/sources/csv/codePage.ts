/** Bytes that are not UTF-8: whether they make Latin words in Windows-1252, and what they look like if they do not. */
import { isAscii } from 'node:buffer';
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
/** Signs beyond ASCII that stand beside others of them. */
const TOGETHER =
  /[\u00a0\u00a1\u00a7\u00a9\u00ae\u00b0\u00bf\u2013\u2014\u2018-\u201e\u2022\u2026\u2122\u2039\u203a\u00ab\u00bb]/u;
const LETTER = /\p{L}/u;
const ASCII_LETTER = /[a-z]/i;

/** Letters beyond ASCII of the languages of Central Europe, small ones. */
const CENTRAL = /[áâăäąćčçďđéęěëíîĺľłńňóôőöŕřśšşťţúůűüýźžż]/iu;
const KANA_OR_KANJI = /^[\p{Script=Hiragana}\u30a0-\u30ff\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+$/u;
const HANZI = /^[\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+$/u;
const CYRILLIC = /^\p{Script=Cyrillic}+$/u;
/** Vowels and tones stand at consonants: a mark is neither first nor doubled, a leading vowel has one behind it. */
const THAI =
  /^(?![\u0e30-\u0e3a\u0e45-\u0e4e])(?!.*(?:[\u0e31\u0e34-\u0e3a]{2}|[\u0e48-\u0e4b]{2}|[\u0e40-\u0e44](?![\u0e01-\u0e2e])))\p{Script=Thai}+$/u;

/**
 * Others that are looked for: label, the script that its text is in, and the first bytes of its common characters where it has two of them; of those that
 * say the same the narrower first. */
const CANDIDATES: readonly (readonly [label: string, script: RegExp, common?: RegExp])[] = [
  ['windows-1251', CYRILLIC],
  ['koi8-r', CYRILLIC],
  ['iso-8859-5', CYRILLIC],
  ['ibm866', CYRILLIC],
  ['windows-1253', /^\p{Script=Greek}+$/u],
  ['windows-1255', /^[\u05d0-\u05ea]+$/u],
  ['windows-1256', /^\p{Script=Arabic}+$/u],
  ['euc-kr', /^[\uac00-\ud7a3\u3000-\u303f]+$/u, /^[\xb0-\xc8]/],
  ['euc-jp', KANA_OR_KANJI, /^[\xa1\xa4\xa5\xb0-\xcf]/],
  ['shift_jis', KANA_OR_KANJI, /^[\x81-\x83\x88-\x97]/],
  ['gb18030', HANZI, /^[\xb0-\xd7]/],
  ['big5', HANZI, /^[\xa4-\xc6]/],
  ['windows-874', THAI],
];
/** Those whose letters stand among those of ASCII. */
const LATIN_CANDIDATES = ['macintosh', 'windows-1250', 'iso-8859-2'];
/** What MS-DOS had from 0x80 on; no decoder of ours reads it. */
const DOS = 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿';

/**
 * Refuses single bytes that make no Latin words.
 * @throws IntakeError ENCODING_UNCLEAR with what they look like.
 */
export function requireLatin(bytes: Buffer): void {
  const sample = sampleOf(bytes);
  if (!isLatin(windows1252.decode(sample))) throw unclear(sample);
}

/**
 * Refuses text of two bytes a character, some of which is UTF-8 by chance.
 * @throws IntakeError ENCODING_UNCLEAR with what it looks like.
 */
export function requireNoneOfTwoBytes(bytes: Buffer): void {
  const sample = sampleOf(bytes);
  if (scoresOf(sample).some(({ score, common }) => common && score > 0.95)) throw unclear(sample);
}

function unclear(sample: Buffer): IntakeError {
  const names = likely(sample);
  const what = 'The bytes beyond ASCII are neither UTF-8 nor words in Windows-1252';
  if (names.length === 0 && isLatin(inDos(sample)))
    return new IntakeError('ENCODING_UNCLEAR', `${what}; they look like a code page of MS-DOS (cp437, cp850)`, {
      remedy: 'Such files are not read; save the file as UTF-8.',
    });
  const like = names.length === 0 ? '' : `; they look like ${names.join(' or ')}`;
  return new IntakeError(
    'ENCODING_UNCLEAR',
    what + like,
    names.length === 0 ? {} : { remedy: `Look at a dry run with --encoding ${names[0]}, or save the file as UTF-8.` },
  );
}

const inDos = (sample: Buffer): string =>
  sample.toString('latin1').replace(/[\x80-\xff]/g, (byte) => DOS[byte.charCodeAt(0) - 0x80] ?? '\u0080');

/** Lines that hold bytes beyond ASCII, wherever they are; of one long line a part. */
function sampleOf(bytes: Buffer): Buffer {
  const lines: Buffer[] = [];
  let size = 0;
  for (let at = 0; at < bytes.length && size < SAMPLE_BYTES;) {
    const end = bytes.indexOf(0x0a, at) + 1 || bytes.length;
    const line = bytes.subarray(at, Math.min(end, at + SAMPLE_BYTES));
    // The last line may end within a character.
    if (!isAscii(line) && (end < bytes.length || bytes.at(-1) === 0x0a || lines.length === 0)) {
      lines.push(line);
      size += line.length;
    }
    at = end;
  }
  return Buffer.concat(lines);
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
    else foreign += [...run].filter((sign) => !LETTER.test(sign) && !TOGETHER.test(sign)).length;
  }
  return all === 0 || foreign / all < FOREIGN;
}

/** A sign where no word has it: a control, a symbol beside letters, a capital behind a small letter, a quote between letters. */
function isOdd(sign: string, before: string, after: string): boolean {
  const behind = ASCII_LETTER.test(before);
  const ahead = ASCII_LETTER.test(after);
  if (sign < '\u00a0') return true;
  // The first half of kana in Shift_JIS; as a sign of money it stands alone.
  if (sign === 'ƒ') return behind || ahead;
  if (LETTER.test(sign)) return /[a-z]/.test(before) && sign !== sign.toLowerCase();
  if (BESIDE.test(sign) || sign === '\u2019') return false;
  if (CURRENCY.test(sign)) return ahead;
  if (OPENING.test(sign)) return behind;
  return QUOTES.test(sign) || DASHES.test(sign) ? behind && ahead : behind || ahead;
}

interface Score {
  readonly label: string;
  readonly score: number;
  /** Of an encoding of two bytes a character. */
  readonly common: boolean;
}

const scoresOf = (sample: Buffer): Score[] => [
  ...CANDIDATES.map(([label, script, common]) => ({
    label,
    score: scriptScore(sample, label, script) * (common ? commonShare(sample, common) : 1),
    common: common !== undefined,
  })),
  ...LATIN_CANDIDATES.map((label) => ({ label, score: latinScore(sample, label), common: false })),
];

/** Labels in which the bytes make words of one script, the likeliest first. */
function likely(sample: Buffer): string[] {
  const scored = scoresOf(sample).filter(({ score }) => score > 0.7);
  const best = Math.max(...scored.map(({ score }) => score));
  return scored
    .filter(({ score }) => score > best - 0.1)
    .sort((a, b) => b.score - a.score)
    .slice(0, 3)
    .map(({ label }) => label);
}

function decoded(bytes: Buffer, label: string): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The share of what is beyond ASCII in words of one script. */
function scriptScore(bytes: Buffer, label: string, script: RegExp): number {
  const text = decoded(bytes, label) ?? '';
  const runs = text.match(HIGH_RUN) ?? [];
  if (runs.length === 0) return 0;
  // Words begin with a capital, if they have capitals at all: so the code pages of one script are told apart.
  const words = text.match(/(?<![a-z])[^\0-\x7f]+(?![a-z])/gi) ?? [];
  const right = words.filter((word) => script.test(word) && !/\p{Ll}\p{Lu}/u.test(word));
  const hasCase = /\p{Ll}|\p{Lu}/u.test(text.replace(/[\0-\x7f]/g, ''));
  const isMixed = right.some((word) => /^\p{Lu}\p{Ll}/u.test(word));
  return (right.join('').length / runs.join('').length) * (hasCase && !isMixed ? 0.95 : 1);
}

/** The share of common characters among those of two bytes. */
function commonShare(bytes: Buffer, common: RegExp): number {
  const pairs = bytes.toString('latin1').match(/[\x80-\xff][\x40-\xff]/g) ?? [];
  return pairs.length === 0 ? 0 : pairs.filter((pair) => common.test(pair)).length / pairs.length;
}

function latinScore(bytes: Buffer, label: string): number {
  const text = decoded(bytes, label) ?? '';
  if (label === 'macintosh') return isLatin(text) ? 0.8 : 0;
  const signs = text.replace(/[\0-\x7f]/g, '');
  const amongAscii = (text.match(/(?<=[a-z])[^\0-\x7f]+|[^\0-\x7f]+(?=[a-z])/gi) ?? []).join('').length;
  if (signs === '' || /\p{Ll}\p{Lu}/u.test(text) || amongAscii < signs.length / 6) return 0;
  return [...signs].filter((sign) => CENTRAL.test(sign)).length / signs.length;
}
