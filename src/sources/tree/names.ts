/**
 * Names of files as text. A name is bytes; where these are not UTF-8, each byte that is none is shown as `\xE9`, and a name that
 * holds such a text itself has its backslash shown so. What is shown is therefore what the file is found by again.
 */
import { isUtf8 } from 'node:buffer';

const ESCAPE = /\\x([0-9A-F]{2})/g;
const LOOKS_ESCAPED = /\\x[0-9A-F]{2}/;

/** The name as text that PostgreSQL and JSON can hold. */
export function shownName(name: Buffer): string {
  if (isUtf8(name)) return escapeName(name.toString());
  let shown = '';
  for (let at = 0; at < name.length;) {
    const length = characterAt(name, at);
    shown += length > 0 ? name.toString('utf8', at, at + length) : escaped(name[at]!);
    at += length || 1;
  }
  return shown;
}

/** A name that is text already, as `shownName` shows it. */
export const escapeName = (name: string): string =>
  LOOKS_ESCAPED.test(name) ? name.replace(ESCAPE, '\\x5Cx$1') : name;

/** The path that the system knows, below a root that is named as it is. */
export function systemPath(root: string, shown: string): string | Buffer {
  if (!LOOKS_ESCAPED.test(shown)) return `${root}/${shown}`;
  const parts = [Buffer.from(`${root}/`)];
  let from = 0;
  for (const { index, 0: text, 1: hex = '' } of shown.matchAll(ESCAPE)) {
    parts.push(Buffer.from(shown.slice(from, index)), Buffer.from(hex, 'hex'));
    from = index + text.length;
  }
  return Buffer.concat([...parts, Buffer.from(shown.slice(from))]);
}

/** What a person would have written: bytes that are not UTF-8 are most often Latin-1. */
export const readableName = (shown: string): string =>
  shown.replace(ESCAPE, (_text, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const escaped = (byte: number): string => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** Bytes of the character that starts here; 0 where none does. */
function characterAt(name: Buffer, at: number): number {
  const first = name[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return at + length <= name.length && isUtf8(name.subarray(at, at + length)) ? length : 0;
}
