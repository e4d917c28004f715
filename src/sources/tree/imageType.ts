/** What an image is by its bytes, and whether it is whole: names and headers of uploads are not believed. */
import { crc32 } from 'node:zlib';

export type ImageType = 'png' | 'jpg' | 'gif' | 'webp';

export type InspectedImage =
  | { readonly type: ImageType; readonly error?: undefined }
  | { readonly error: 'IMAGE_CORRUPT' }
  | { readonly error: 'IMAGE_UNSUPPORTED'; readonly format: string };

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

/** The type of an image that is complete: every PNG chunk has its checksum, a JPEG its end, a GIF all of its blocks, a WebP its length. */
export function inspectImage(bytes: Buffer): InspectedImage {
  if (bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return isWholePng(bytes) ? { type: 'png' } : CORRUPT;
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return isWholeJpeg(bytes) ? { type: 'jpg' } : CORRUPT;
  const start = bytes.toString('latin1', 0, 6);
  if (start === 'GIF87a' || start === 'GIF89a') return isWholeGif(bytes) ? { type: 'gif' } : CORRUPT;
  if (start.startsWith('RIFF') && bytes.toString('latin1', 8, 12) === 'WEBP')
    return isWholeWebp(bytes) ? { type: 'webp' } : CORRUPT;
  const format = otherFormat(bytes, start);
  return format === undefined ? CORRUPT : { error: 'IMAGE_UNSUPPORTED', format };
}

/** Brands of the container that AVIF and HEIC share, and what a person calls them. */
const BRANDS: Readonly<Record<string, string>> = {
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  hevc: 'HEIC',
  mif1: 'HEIC',
  msf1: 'HEIC',
};

/** What else may stand under the name of an image; undefined for what is none of them. */
function otherFormat(bytes: Buffer, start: string): string | undefined {
  // The size of the whole file, or nothing, and of its header: two letters alone are no sign.
  if (
    start.startsWith('BM') &&
    bytes.length >= 26 &&
    [0, bytes.length].includes(bytes.readUInt32LE(2)) &&
    bytes[14]! >= 12
  )
    return 'BMP';
  if (/^(?:II[*+]\0|MM\0[*+])/.test(start)) return 'TIFF';
  if (start.startsWith('%PDF-')) return 'PDF';
  if (start.startsWith('\0\0\u0001\0')) return 'ICO';
  if (start.startsWith('\0\0\0\fjP')) return 'JPEG 2000';
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return BRANDS[bytes.toString('latin1', 8, 12)];
  return /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^]*?-->\s*)?<svg[\s>]/.test(bytes.toString('latin1', 0, 1024))
    ? 'SVG'
    : undefined;
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

/** Its blocks up to the trailer, with a picture among them; what a program appends does not count. */
function isWholeGif(bytes: Buffer): boolean {
  if (bytes.length < 14 || bytes.readUInt16LE(6) === 0 || bytes.readUInt16LE(8) === 0) return false;
  const tableSize = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let at = 13 + tableSize(bytes[10]!);
  for (let pictures = 0; at < bytes.length;) {
    const block = bytes[at]!;
    if (block === 0x3b) return pictures > 0;
    if (block === 0x2c && at + 10 < bytes.length) {
      at += 11 + tableSize(bytes[at + 9]!); // and the size of its codes
      pictures++;
    } else if (block === 0x21) {
      at += 2;
    } else {
      return false;
    }
    while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!;
    at++;
  }
  return false;
}

function isWholeWebp(bytes: Buffer): boolean {
  return (
    bytes.length >= 20 &&
    bytes.readUInt32LE(4) + 8 <= bytes.length &&
    /^VP8[ LX]$/.test(bytes.toString('latin1', 12, 16))
  );
}
