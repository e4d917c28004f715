import { unitBytes, type Encoding } from './encoding.ts';

/** Stands for any code unit of UTF-16 that is not ASCII: the scanner only asks for quotes, delimiters and line ends. */
const OTHER = 0x80;

/**
 * Copies code units as single bytes into `target` from `at`, so that one scanner reads every encoding.
 * An odd last byte of UTF-16 counts as a unit of its own. Returns the number of units written.
 */
export function copyUnits(bytes: Uint8Array, encoding: Encoding, target: Uint8Array, at: number): number {
  if (unitBytes(encoding) === 1) {
    target.set(bytes, at);
    return bytes.length;
  }
  const high = encoding === 'utf-16be' ? 0 : 1;
  const units = bytes.length >> 1;
  for (let i = 0; i < units; i++) {
    const low = bytes[2 * i + 1 - high]!;
    target[at + i] = bytes[2 * i + high] === 0 && low < OTHER ? low : OTHER;
  }
  if (bytes.length % 2 === 1) target[at + units] = OTHER;
  return units + (bytes.length % 2);
}

/** The code units of a whole buffer, one byte each; the buffer itself where a unit is a byte. */
export function unitsOf(bytes: Buffer, encoding: Encoding): Uint8Array {
  if (unitBytes(encoding) === 1) return bytes;
  const units = new Uint8Array((bytes.length + 1) >> 1);
  copyUnits(bytes, encoding, units, 0);
  return units;
}
