/** What an image is by its bytes, and whether it is whole: names and headers of uploads are not believed. */
import { crc32 } from 'node:zlib';

export type ImageType = 'png' | 'jpg' | 'gif' | 'webp';

export type InspectedImage =
  { readonly type: ImageType; readonly error?: undefined } | { readonly error: 'IMAGE_CORRUPT' };

export const CONTENT_TYPES: Readonly<Record<ImageType, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Bit depths of each PNG colour type. */
const PNG_DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const CORRUPT = { error: 'IMAGE_CORRUPT' } as const;

/** The type of an image that is complete: every PNG chunk has its checksum, a JPEG or GIF its end, a WebP its length. */
export function inspectImage(bytes: Buffer): InspectedImage {
  if (bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return isWholePng(bytes) ? { type: 'png' } : CORRUPT;
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return isWholeJpeg(bytes) ? { type: 'jpg' } : CORRUPT;
  const start = bytes.toString('latin1', 0, 6);
  if (start === 'GIF87a' || start === 'GIF89a') return isWholeGif(bytes) ? { type: 'gif' } : CORRUPT;
  if (start.startsWith('RIFF') && bytes.toString('latin1', 8, 12) === 'WEBP')
    return isWholeWebp(bytes) ? { type: 'webp' } : CORRUPT;
  return CORRUPT;
}

function isWholePng(bytes: Buffer): boolean {
  let pixels = false;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) return false;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if ((at === 8) !== (type === 'IHDR')) return false;
    if (type === 'IHDR' && !isPngHeader(bytes.subarray(at + 8, end))) return false;
    if (type === 'IDAT') pixels = true;
    if (type === 'IEND') return pixels;
    at = end + 4;
  }
  return false;
}

function isPngHeader(header: Buffer): boolean {
  if (header.length !== 13) return false;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, colour, compression, filter, interlace] = header.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  const sized = width > 0 && height > 0 && width < 2 ** 31 && height < 2 ** 31;
  return sized && (PNG_DEPTHS[colour]?.includes(depth) ?? false) && compression === 0 && filter === 0 && interlace <= 1;
}

/** Segments up to the scan; behind it, the end marker, with nothing but padding or a program's trailer after it. */
function isWholeJpeg(bytes: Buffer): boolean {
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return false;
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2 || marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9)) return false;
    at += 2 + length;
    if (marker === 0xda) return bytes.lastIndexOf(Buffer.of(0xff, 0xd9)) >= at;
  }
  return false;
}

function isWholeGif(bytes: Buffer): boolean {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end > 13 && bytes[end - 1] === 0x3b && bytes.readUInt16LE(6) > 0 && bytes.readUInt16LE(8) > 0;
}

function isWholeWebp(bytes: Buffer): boolean {
  return (
    bytes.length >= 20 &&
    bytes.readUInt32LE(4) + 8 <= bytes.length &&
    /^VP8[ LX]$/.test(bytes.toString('latin1', 12, 16))
  );
}
