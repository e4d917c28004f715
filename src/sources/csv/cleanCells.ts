/** The texts of a chunk's cells cleaned before a kind reads them; the raw row keeps them as they are. */
import { isAscii } from 'node:buffer';
import { textCleaner, type Cleaning, type Notice } from '../cleanText.ts';
import type { Encoding } from './encoding.ts';

const SPACE = 0x20;
const AMPERSAND = 0x26;
const ENTITY_START = /^&(?:#[\dx]|[a-z]{2,4};)/i;

/** Bytes that text decoded twice and reversing signs have in UTF-8. */
const LITTER = [
  'c383',
  'c382',
  'c3a2',
  ...'8e8faaabacadae'.match(/../g)!.map((last) => `e280${last}`),
  'e281a6',
  'e281a7',
  'e281a8',
  'e281a9',
].map((hex) => Buffer.from(hex, 'hex'));

/** Whether a chunk may hold text decoded twice or reversing signs; most hold none. */
const holdsLitter = (chunk: Buffer, encoding: Encoding): boolean =>
  encoding === 'utf-8' ? !isAscii(chunk) && LITTER.some((bytes) => chunk.includes(bytes)) : !isAscii(chunk);

/** Whether a chunk may hold HTML entities; an `&` between names is none. Of encodings of two bytes, any `&` counts. */
function mayHoldEntities(chunk: Buffer, encoding: Encoding): boolean {
  if (encoding.startsWith('utf-16')) return chunk.includes(AMPERSAND);
  for (let at = chunk.indexOf(AMPERSAND); at >= 0; at = chunk.indexOf(AMPERSAND, at + 1))
    if (chunk[at + 1] !== SPACE && ENTITY_START.test(chunk.toString('latin1', at, at + 6))) return true;
  return false;
}

/** Cleans the cells of a chunk's records at some places. */
export function cellCleaner(
  chunk: Buffer,
  places: readonly number[],
  { encoding, ...cleaning }: Cleaning & { readonly encoding: Encoding },
  notice: Notice,
): (cells: readonly string[], line: number) => readonly string[] {
  const entities = mayHoldEntities(chunk, encoding);
  const beyondAscii = holdsLitter(chunk, encoding);
  const clean = textCleaner(cleaning, notice, { entities, beyondAscii });
  return (cells, line) => {
    let own: string[] | undefined;
    for (const place of places) {
      const cell = cells[place];
      if (cell === undefined) continue;
      const value = clean(cell, line);
      if (value === cell) continue;
      own ??= [...cells];
      own[place] = value;
    }
    return own ?? cells;
  };
}
