import { isUtf8 } from 'node:buffer';
import { IntakeError } from '../../errors.ts';
import { requireLatin, requireNoneOfTwoBytes } from './codePage.ts';
import { Utf8Evidence } from './utf8Evidence.ts';

/** Those that are detected, and any other that Node's decoder knows by its label. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | (string & {});

export interface DetectedEncoding {
  readonly encoding: Encoding;
  /** Length of the byte order mark at the start of the file. */
  readonly bomBytes: number;
  /** False for a pure ASCII head: later bytes may still turn `utf-8` into `windows-1252`. */
  readonly certain: boolean;
}

/** Spellings without case, spaces, `-` and `_`. ISO-8859-1 means Windows-1252 here, as it does on the web. */
const SPELLINGS: Record<string, Encoding | 'utf-16'> = {
  utf8: 'utf-8',
  utf8bom: 'utf-8',
  utf8sig: 'utf-8',
  ascii: 'utf-8',
  usascii: 'utf-8',
  utf16: 'utf-16',
  ucs2: 'utf-16',
  unicode: 'utf-16',
  utf16le: 'utf-16le',
  ucs2le: 'utf-16le',
  utf16be: 'utf-16be',
  ucs2be: 'utf-16be',
  windows1252: 'windows-1252',
  cp1252: 'windows-1252',
  win1252: 'windows-1252',
  '1252': 'windows-1252',
  ansi: 'windows-1252',
  latin1: 'windows-1252',
  l1: 'windows-1252',
  iso88591: 'windows-1252',
};

const BOMS: readonly (readonly [Encoding, Buffer])[] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

/**
 * The encoding of a file from its first bytes: the operator's word, then a byte order mark, then the bytes themselves.
 * The head may end within a character. Throws UNKNOWN_ENCODING for a spelling that is none of ours.
 */
export function detectEncoding(head: Buffer, given?: string): DetectedEncoding {
  const wanted = given === undefined ? undefined : parseEncoding(given);
  const bom = BOMS.find(([, mark]) => head.subarray(0, mark.length).equals(mark));
  if (wanted === 'utf-16') {
    const encoding = bom !== undefined && bom[0] !== 'utf-8' ? bom[0] : (guessUtf16(head) ?? 'utf-16le');
    return { encoding, bomBytes: bom?.[0] === encoding ? 2 : 0, certain: true };
  }
  if (wanted !== undefined)
    return { encoding: wanted, bomBytes: bom?.[0] === wanted ? bom[1].length : 0, certain: true };
  if (bom !== undefined && !isUtf32(head)) return { encoding: bom[0], bomBytes: bom[1].length, certain: true };
  const utf16 = guessUtf16(head);
  if (isUtf32(head)) throw unknown('The file is UTF-32');
  if (utf16 !== undefined) return { encoding: utf16, bomBytes: 0, certain: true };
  if (/\x1b\$[@B]/.test(head.toString('latin1')))
    throw new IntakeError('ENCODING_UNCLEAR', 'The bytes look like iso-2022-jp', { remedy: 'Save the file as UTF-8.' });
  const evidence = new Utf8Evidence();
  evidence.add(head);
  if (!evidence.seen) return { encoding: 'utf-8', bomBytes: 0, certain: false };
  if (!evidence.isUtf8) requireLatin(head);
  else if (evidence.isMixed) requireNoneOfTwoBytes(head);
  return { encoding: evidence.isUtf8 ? 'utf-8' : 'windows-1252', bomBytes: 0, certain: true };
}

function parseEncoding(given: string): Encoding | 'utf-16' {
  const spelling = given.toLowerCase().replace(/[\s_-]/g, '');
  const encoding = Object.hasOwn(SPELLINGS, spelling) ? SPELLINGS[spelling] : undefined;
  if (encoding !== undefined) return encoding;
  if (/^utf32|^ucs4/.test(spelling)) throw unknown('UTF-32 is not read');
  try {
    const label = new TextDecoder(given).encoding;
    // Its bytes of one character may be delimiters and quotes of another.
    if (!STATEFUL.has(label)) return label;
  } catch {
    // Not a label of Node's decoder.
  }
  throw unknown(`Unknown encoding: ${given}`);
}

const STATEFUL = new Set(['iso-2022-jp', 'replacement', 'x-user-defined']);
const unknown = (message: string) => new IntakeError('UNKNOWN_ENCODING', message);

/** Four bytes a character, most of them zero. */
function isUtf32(head: Buffer): boolean {
  if (head.length < 8) return false;
  const units = Math.min(head.length >> 2, 64);
  let little = 0;
  let big = 0;
  for (let at = 0; at < units * 4; at += 4) {
    if (head[at + 2] === 0 && head[at + 3] === 0 && head[at] !== 0) little++;
    if (head[at] === 0 && head[at + 1] === 0 && head[at + 3] !== 0) big++;
  }
  return little > units * 0.9 || big > units * 0.9;
}

/** Without a mark, UTF-16 shows in a zero as every other byte: the high halves of its ASCII characters. */
function guessUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const units = Math.min(head.length >> 1, 2048);
  if (units < 2) return undefined;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < units * 2; i += 2) {
    if (head[i] === 0) even++;
    if (head[i + 1] === 0) odd++;
  }
  if (odd > units * 0.4 && even < units * 0.05) return 'utf-16le';
  if (even > units * 0.4 && odd < units * 0.05) return 'utf-16be';
  if (odd > 3 && even === 0 && keepsLines(head, 'utf-16le')) return 'utf-16le';
  if (even > 3 && odd === 0 && keepsLines(head, 'utf-16be')) return 'utf-16be';
  return undefined;
}

/** Whether each line feed is a character of its own: so text of other scripts in UTF-16 is told from text with stray zeros. */
function keepsLines(head: Buffer, encoding: Encoding): boolean {
  const text = decode(head.subarray(0, 64 * 1024), encoding);
  const feeds = text.split('\n').length - 1;
  return (
    feeds > 0 &&
    feeds ===
      head
        .subarray(0, 64 * 1024)
        .toString('latin1')
        .split('\n').length -
        1
  );
}

/** Bytes of one code unit: what the scanner steps by. */
export function unitBytes(encoding: Encoding): 1 | 2 {
  return encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
}

type Decoder = InstanceType<typeof TextDecoder>;
const decoders = new Map<string, Decoder>();

function decoderOf(encoding: Encoding, fatal: boolean): Decoder {
  const key = `${encoding} ${fatal}`;
  let decoder = decoders.get(key);
  if (decoder === undefined) decoders.set(key, (decoder = new TextDecoder(encoding, { fatal, ignoreBOM: true })));
  return decoder;
}

/** Bytes that Windows-1252 leaves undefined; its decoder makes control characters of them. */
const UNDEFINED_1252 = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/** The text of whole characters; a byte order mark is kept, invalid bytes become U+FFFD (ask `isValid` first). */
export function decode(bytes: Buffer, encoding: Encoding): string {
  switch (encoding) {
    case 'utf-8':
      return bytes.toString('utf8');
    case 'utf-16le':
      return bytes.toString('utf16le');
    case 'utf-16be':
      return Buffer.from(bytes.subarray(0, bytes.length & ~1))
        .swap16()
        .toString('utf16le');
    default:
      return decoderOf(encoding, false).decode(bytes);
  }
}

/** Whether the bytes are whole, valid characters of the encoding. */
export function isValid(bytes: Buffer, encoding: Encoding): boolean {
  if (encoding === 'windows-1252') return !UNDEFINED_1252.some((byte) => bytes.includes(byte));
  if (encoding === 'utf-8') return isUtf8(bytes);
  if (unitBytes(encoding) === 2) return bytes.length % 2 === 0 && decode(bytes, encoding).isWellFormed();
  try {
    decoderOf(encoding, true).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
