/** Images as large as a screenshot, each of its own content, made in a fraction of a millisecond. */
import { crc32, deflateSync } from 'node:zlib';
import { mulberry32 } from './random.ts';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Row of grey pixels behind its filter byte. */
const ROW = 512;
/** Signature, IHDR, IEND, and the frames of IDAT and of its stored blocks. */
const FRAME = 80;

/** A valid grey-scale PNG of about so many bytes whose content depends on the seed. */
export function png(seed: number, bytes: number): Buffer {
  const height = Math.max(1, Math.round((bytes - FRAME) / ROW));
  const pixels = noise(height * ROW);
  for (let row = 0; row < height; row++) pixels[row * ROW] = 0;
  pixels.writeDoubleBE(seed + 0.5, 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(ROW - 1, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels, { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

let grain = Buffer.alloc(0);

function noise(length: number): Buffer {
  if (grain.length < length) {
    const random = mulberry32(1);
    grain = Buffer.alloc(length);
    for (let i = 0; i < length; i++) grain[i] = random() * 256;
  }
  return Buffer.from(grain.subarray(0, length));
}

function chunk(type: string, data: Buffer): Buffer {
  const framed = Buffer.alloc(12 + data.length);
  framed.writeUInt32BE(data.length, 0);
  framed.write(type, 4, 'latin1');
  data.copy(framed, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, 8 + data.length)), 8 + data.length);
  return framed;
}
