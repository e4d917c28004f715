import { strict as assert } from 'node:assert';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { grouped } from '../../../src/activities/directory/lanes.ts';
import fileThread, { type Timed } from '../../../src/sources/tree/fileThread.ts';
import { fileThreads, readFiles, type ReadFile, type ReadJob } from '../../../src/sources/tree/fileThreads.ts';
import { useDirectory, write } from './tree.ts';

const FILES = 40;
const contentOf = (i: number): string => `content of ${i} ${'x'.repeat(i * 7)}`;

describe('readFiles', () => {
  const dir = useDirectory();
  const { run } = fileThreads;
  beforeEach(() => write(dir(), Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`f${i}`, contentOf(i)]))));
  afterEach(() => {
    fileThreads.run = run;
  });

  /** As a file system that takes so long that each message ends after so many files; with how many messages there are at a time. */
  function slowly(filesOfMessage: number): { most: number } {
    const seen = { most: 0 };
    let now = 0;
    fileThreads.run = (async (job: ReadJob) => {
      seen.most = Math.max(seen.most, ++now);
      const read = await run({ ...job, files: job.files.slice(0, filesOfMessage) });
      now--;
      return read;
    }) as typeof run;
    return seen;
  }

  async function readAll(job: Partial<ReadJob>, parts: number, signal = new AbortController().signal) {
    const files = Array.from({ length: FILES }, (_, i) => ({ path: `f${i}` }));
    const read: ReadFile[] = [];
    const asked = { root: dir(), files, limit: 1_000_000, bytes: true, ...job };
    await readFiles(asked, { parts, signal }, (one, at) => {
      assert.equal(read[at], undefined, 'each is told once');
      read[at] = one;
    });
    return read;
  }

  const textOf = (read: ReadFile): string => (read.error === undefined ? read.bytes!.toString() : read.error);
  const expected = Array.from({ length: FILES }, (_, i) => contentOf(i));

  it('gives the bytes of every file at its place, wherever a message ends', async () => {
    assert.deepEqual((await readAll({}, 4)).map(textOf), expected);
    for (const filesOfMessage of [1, 3, 39]) {
      slowly(filesOfMessage);
      assert.deepEqual((await readAll({}, 4)).map(textOf), expected, String(filesOfMessage));
    }
  });

  it('puts them into the memory that is lent, each where it has its place', async () => {
    const { into, files } = placed();
    slowly(3);
    const read = await readAll({ files, into }, 4);
    assert.deepEqual(read.map(textOf), expected);
    assert.ok(read.every((one) => one.error === undefined && (one.bytes!.buffer as unknown) === into));
    assert.equal(Buffer.from(into).toString(), expected.join(''));
  });

  it('reads a file that is longer than it was neither into the memory of others nor at all', async () => {
    const { into, files } = placed();
    writeFileSync(join(dir(), 'f1'), 'y'.repeat(500));
    const read = await readAll({ files, into }, 4);
    assert.equal(textOf(read[1]!), 'changed');
    assert.deepEqual(read.toSpliced(1, 1).map(textOf), expected.toSpliced(1, 1));
  });

  it('has as many messages at a time as it may where each file takes long', async () => {
    for (const parts of [1, 4]) {
      const seen = slowly(1);
      await readAll({}, parts);
      assert.ok(seen.most >= parts && (parts > 1 || seen.most === 1), `${seen.most} at a time`);
    }
  });

  it('ends between two messages, and all that it asked for has been answered then', async () => {
    const stop = new AbortController();
    let answered = 0;
    fileThreads.run = (async (job: ReadJob) => {
      if (++answered === 3) stop.abort(new Error('no longer'));
      return run({ ...job, files: job.files.slice(0, 1) });
    }) as typeof run;
    await assert.rejects(readAll({}, 4, stop.signal), /no longer/);
    assert.ok(answered < 10, String(answered));
  });

  /** Each file behind the one before. */
  function placed() {
    let end = 0;
    const files = Array.from({ length: FILES }, (_, i) => {
      const { size, mtimeMs } = statSync(join(dir(), `f${i}`));
      const at = end;
      end += size;
      return { path: `f${i}`, known: { size, mtimeMs: Math.trunc(mtimeMs) }, at };
    });
    return { files, into: new SharedArrayBuffer(end) };
  }
});

describe('fileThread', () => {
  const dir = useDirectory();

  it('takes no folder of many names for a slow file system, whose width of threads would hold memory', () => {
    write(dir(), Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`f${i}.png`, ''])));
    const { took } = fileThread({ do: 'list', root: dir(), below: '', group: 10 }) as Timed<unknown>;
    assert.ok(took < 4, `${took} ms`);
  });
});

describe('grouped', () => {
  it('keeps the order, bounds items and bytes, and lets what is large be alone', () => {
    const most = { items: 3, bytes: 100 };
    assert.deepEqual(
      grouped([1, 2, 3, 4, 90, 20, 500, 1], (size) => size, most),
      [[1, 2, 3], [4, 90], [20], [500], [1]],
    );
    assert.deepEqual(
      grouped([], () => 1, most),
      [],
    );
  });
});
