import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { statSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { png } from '../../../bench/generators/png.ts';
import { ByteBudget } from '../../../src/sources/tree/byteBudget.ts';
import { inspectImage } from '../../../src/sources/tree/imageType.ts';
import { MAX_IMAGE_BYTES } from '../../../src/sources/tree/readImage.ts';
import { readImage, useDirectory, write } from './tree.ts';

const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffda000801010000003f00d2cf20ffd9', 'hex');
const GIF = Buffer.from(
  '47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b',
  'hex',
);
const WEBP = Buffer.from('524946461a000000574542505650384c0d0000002f00000010071011118888fe0700', 'hex');
const CORRUPT = { error: 'IMAGE_CORRUPT' } as const;

describe('inspectImage', () => {
  const image = png(1, 3000);

  it('tells the type by the bytes', () => {
    assert.deepEqual(
      [image, JPEG, GIF, WEBP].map((bytes) => inspectImage(bytes)),
      [{ type: 'png' }, { type: 'jpg' }, { type: 'gif' }, { type: 'webp' }],
    );
  });

  it('refuses whatever is cut off, anywhere', () => {
    for (const whole of [image, JPEG, GIF, WEBP]) {
      fc.assert(
        fc.property(fc.nat(whole.length - 1), (length) =>
          assert.deepEqual(inspectImage(whole.subarray(0, length)), CORRUPT),
        ),
      );
    }
  });

  it('refuses a PNG without pixels', () => {
    const start = image.indexOf('IDAT') - 4;
    const end = image.indexOf('IEND') - 4;
    assert.deepEqual(inspectImage(Buffer.concat([image.subarray(0, start), image.subarray(end)])), CORRUPT);
  });

  it('refuses a PNG in which a single bit is wrong', () => {
    fc.assert(
      fc.property(fc.nat(image.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(image);
        damaged[at]! ^= 1 << bit;
        assert.deepEqual(inspectImage(damaged), CORRUPT);
      }),
    );
  });

  it('refuses other files, and never throws for any bytes', () => {
    for (const text of [
      '',
      '<html>',
      'BM is how this text begins, and no image of any kind does',
      '....ftypisom',
      'GIF89a\x01\0\x01\0\0\0\0;',
      '\x89PNG\r\n\x1a\n',
      'RIFF....WAVEfmt ',
      'GIF89a;',
      '\xff\xd8\xff\xd9',
    ]) {
      assert.deepEqual(inspectImage(Buffer.from(text, 'latin1')), CORRUPT);
    }
    const starts = [image, JPEG, GIF, WEBP].map((whole) => whole.subarray(0, 12));
    fc.assert(
      fc.property(
        fc.constantFrom(...starts),
        fc.uint8Array({ maxLength: 64 }),
        (start, rest) => void inspectImage(Buffer.concat([start, rest])),
      ),
    );
  });

  it('names what is an image of another format, which nobody has to take again', () => {
    const bmp = Buffer.alloc(70);
    bmp.write('BM');
    bmp.writeUInt32LE(70, 2);
    bmp.writeUInt32LE(40, 14);
    for (const [bytes, format] of [
      [bmp, 'BMP'],
      [Buffer.from('49492a0008000000', 'hex'), 'TIFF'],
      [Buffer.from('4d4d002a00000008', 'hex'), 'TIFF'],
      [Buffer.from('4d4d002b00080000', 'hex'), 'TIFF'],
      [Buffer.from('\0\0\0\x20ftypavif\0\0\0\0', 'latin1'), 'AVIF'],
      [Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'), 'HEIC'],
      [Buffer.from('\0\0\0\x18ftyphevc\0\0\0\0', 'latin1'), 'HEIC'],
      [Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'), 'JPEG 2000'],
      [Buffer.from('%PDF-1.7'), 'PDF'],
      [Buffer.from('<?xml version="1.0"?>\n<svg xmlns="x">'), 'SVG'],
    ] as const)
      assert.deepEqual(inspectImage(bytes), { error: 'IMAGE_UNSUPPORTED', format });
  });

  it('refuses a GIF that ends within a block, also where that byte is the one of an end', () => {
    const text = Buffer.concat([GIF.subarray(0, 19), Buffer.from('21fe053b3b3b3b3b00', 'hex'), GIF.subarray(19)]);
    assert.deepEqual(inspectImage(text), { type: 'gif' });
    for (let length = 0; length < text.length; length++)
      assert.deepEqual(inspectImage(text.subarray(0, length)), CORRUPT, String(length));
  });

  it('takes bytes that programs append after the end', () => {
    assert.deepEqual(inspectImage(Buffer.concat([image, Buffer.alloc(3)])), { type: 'png' });
    assert.deepEqual(inspectImage(Buffer.concat([JPEG, Buffer.alloc(3)])), { type: 'jpg' });
    assert.deepEqual(inspectImage(Buffer.concat([GIF, Buffer.alloc(3)])), { type: 'gif' });
  });
});

describe('readImages', () => {
  const dir = useDirectory();

  it('gives bytes, hash and type of small and large images', async () => {
    for (const bytes of [png(1, 2000), png(2, 600_000)]) {
      write(dir(), { 'FL/a.png': bytes });
      const { size, mtimeMs } = statSync(join(dir(), 'FL/a.png'));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      assert.deepEqual(await readImage(dir(), 'FL/a.png', { size, mtimeMs: Math.trunc(mtimeMs) }), {
        bytes,
        sha256,
        type: 'png',
      });
    }
  });

  it('names what is wrong by its code', async () => {
    write(dir(), {
      'root/corrupt.png': 'no image',
      'root/changed.png': png(1, 2000),
      'outside.png': png(2, 2000),
      'root/huge.png': '',
      'root/folder.png/x': '',
    });
    truncateSync(join(dir(), 'root/huge.png'), MAX_IMAGE_BYTES + 1);
    symlinkSync('../outside.png', join(dir(), 'root/linked.png'));
    const codes = await Promise.all(
      ['corrupt', 'changed', 'linked', 'huge', 'folder', 'none'].map(
        async (name) =>
          (
            await readImage(
              join(dir(), 'root'),
              `${name}.png`,
              name === 'changed' ? { size: 1, mtimeMs: 1 } : undefined,
            )
          ).error,
      ),
    );
    assert.deepEqual(codes, [
      'IMAGE_CORRUPT',
      'CHANGED_FILE',
      'IMAGE_OUTSIDE',
      'IMAGE_TOO_LARGE',
      'FILE_UNREADABLE',
      'IMAGE_MISSING',
    ]);
  });
});

describe('ByteBudget', () => {
  it('never lets more bytes be held than its limit, lets oversized work run alone, and loses none', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.nat(150), turns: fc.nat(4), fails: fc.boolean() }), { maxLength: 20 }),
        async (jobs) => {
          const budget = new ByteBudget(100);
          let held = 0;
          let done = 0;
          await Promise.allSettled(
            jobs.map(({ bytes, turns, fails }) =>
              budget.run(bytes, async () => {
                held += Math.min(bytes, 100);
                assert.ok(held <= 100);
                for (let i = 0; i < turns; i++) await Promise.resolve();
                held -= Math.min(bytes, 100);
                done++;
                if (fails) throw new Error('failed work gives its bytes back');
              }),
            ),
          );
          assert.equal(done, jobs.length);
        },
      ),
    );
  });
});
