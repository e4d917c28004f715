/** JSON as it came: numbers keep their digits, and what is written back is what PostgreSQL's jsonb can hold. */
import { jsonFault, numberBeyond } from './jsonFault.ts';

export type ParsedJson = { readonly value: unknown; readonly error?: undefined } | { readonly error: string };

/** PostgreSQL and `JSON.stringify` descend by recursion; no search result is a tenth as deep. */
const DEEPEST = 100;

/** More digits than a double is sure to keep. */
const LONG_NUMBER = 16;

const SPACE = 0x20;
const QUOTE = 0x22;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const E = 0x45;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
/** The bit between `[` and `{`, and between `E` and `e`. */
const CURLY = 0x20;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The error says where, never what. Numbers that a double would change become `JSON.rawJSON`. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  if (bytes.length === 0) return { error: 'the file is empty' };
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { error: isUtf16(bytes) ? 'the file is UTF-16; save it as UTF-8' : 'the file is not UTF-8' };
  }
  if (isUtf16(bytes)) return { error: 'the file is UTF-16; save it as UTF-8' };
  const { deep, long } = survey(text);
  if (deep) return { error: `it is nested deeper than ${DEEPEST}` };
  try {
    const value: unknown = long ? JSON.parse(text, reviveNumber) : JSON.parse(text);
    const beyond = long ? numberBeyond(text) : undefined;
    return beyond === undefined ? { value } : { error: `a number is beyond the range of PostgreSQL${beyond}` };
  } catch (cause) {
    if ((cause as Error).message.includes('end of JSON input')) return { error: 'it ends too early' };
    return { error: `it is not valid JSON${jsonFault(text)}` };
  }
}

/** By its mark, or by the noughts of characters that every JSON begins with. */
const isUtf16 = ([a, b]: Uint8Array): boolean =>
  (a === 0xff && b === 0xfe) ||
  (a === 0xfe && b === 0xff) ||
  (a !== undefined && b !== undefined && (a === 0) !== (b === 0));

/** As JSON text without NUL and halves of surrogate pairs, which jsonb refuses: each becomes U+FFFD. */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\u')
    ? text.replace(/\\(?:\\|u0000|ud[89a-f][\da-f]{2})/g, (found) => (found === '\\\\' ? found : '\ufffd'))
    : text;
}

/** TypeScript's library does not know the source text of a number yet. */
const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as unknown as {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): value is { readonly rawJSON: string };
};

/** A number as JavaScript has it, or its own digits where these are others. */
export const exactNumber = (value: number, digits: string): unknown =>
  String(value) === digits ? value : rawJson(digits);

/** A number of `parseJson` as it was written; undefined for what is none. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return isRawJson(value) ? value.rawJSON : undefined;
}

const reviveNumber = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && context?.source !== undefined ? exactNumber(value, context.source) : value;

/** Whether it is nested too deeply, and whether it has numbers that might not survive as doubles: long, with an exponent, or ending in zeros. */
function survey(text: string): { deep: boolean; long: boolean } {
  let depth = 0;
  let digits = 0;
  let long = false;
  let fraction = false;
  let last = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= SPACE) continue;
    if (code === QUOTE) at = endOfString(text, at);
    else if ((code & ~CURLY) === OPEN && ++depth > DEEPEST) return { deep: true, long };
    else if ((code & ~CURLY) === CLOSE) depth--;
    if (code >= ZERO && code <= NINE) {
      digits++;
      last = code;
    } else if (digits > 0 && code === POINT) {
      fraction = true;
    } else if (digits > 0) {
      long ||= digits >= LONG_NUMBER || (code & ~CURLY) === E || (fraction && last === ZERO);
      digits = 0;
      fraction = false;
    }
  }
  return { deep: false, long: long || digits >= LONG_NUMBER };
}

/** Where the string that starts here has its other quote; a quote behind an odd number of backslashes is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}
