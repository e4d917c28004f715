import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs, { appendFileSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { readInside, type Known } from '../../../src/sources/tree/insideFile.ts';
import { useDirectory, write } from './tree.ts';

const LIMIT = 1024 * 1024;

/** Does something after the file was opened and looked at, before its first byte is read. */
function whileReading<T>(change: () => void, read: () => T): T {
  const { readSync } = fs;
  fs.readSync = ((...args: Parameters<typeof readSync>) => {
    fs.readSync = readSync;
    syncBuiltinESMExports();
    change();
    return readSync(...args);
  }) as typeof readSync;
  syncBuiltinESMExports();
  return read();
}

describe('readInside', () => {
  const dir = useDirectory();
  const knownOf = (path: string): Known => {
    const { size, mtimeMs } = statSync(path);
    return { size, mtimeMs: Math.trunc(mtimeMs) };
  };

  it('reads small and large files whole', () => {
    for (const size of [0, 5, 300_000]) {
      write(dir(), { file: Buffer.alloc(size, 'x') });
      assert.deepEqual(readInside(dir(), 'file', LIMIT, knownOf(join(dir(), 'file'))), {
        bytes: Buffer.alloc(size, 'x'),
      });
    }
  });

  it('never gives a byte from outside, whatever the path and the links in it', () => {
    write(dir(), {
      'secret.txt': 'secret',
      'other/deep.txt': 'secret',
      'root/a/in.txt': 'inside',
      'root-twin/x.txt': 'secret',
    });
    const root = join(dir(), 'root');
    symlinkSync('../secret.txt', join(root, 'out.txt'));
    symlinkSync(join(dir(), 'other'), join(root, 'a/away'));
    symlinkSync('a', join(root, 'same'));
    symlinkSync('in.txt', join(root, 'a/link.txt'));
    symlinkSync('../root-twin', join(root, 'twin'));
    const segment = fc.constantFrom(
      '..',
      '.',
      'a',
      'same',
      'away',
      'twin',
      'root',
      'other',
      'in.txt',
      'link.txt',
      'out.txt',
      'deep.txt',
      'x.txt',
      'secret.txt',
      dir(),
      '',
    );
    let inside = 0;
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const read = readInside(root, segments.join('/'), LIMIT);
        if (read.error === undefined) assert.equal(read.bytes.toString(), 'inside');
        if (read.error === undefined) inside++;
      }),
      {
        numRuns: 2000,
        examples: [[['a', 'link.txt']], [['twin', 'x.txt']], [['a', 'away', 'deep.txt']], [['..', 'secret.txt']]],
      },
    );
    assert.ok(inside > 1);
    assert.deepEqual(readInside(root, 'out.txt', LIMIT), { error: 'outside' });
    assert.deepEqual(readInside(root, '../secret.txt', LIMIT), { error: 'outside' });
    assert.deepEqual(readInside(root, 'twin/x.txt', LIMIT), { error: 'outside' });
  });

  it('refuses a file whose size or time is not what it was', () => {
    write(dir(), { file: 'content' });
    const path = join(dir(), 'file');
    const known = knownOf(path);
    utimesSync(path, 1, 1);
    assert.deepEqual(readInside(dir(), 'file', LIMIT, known), { error: 'changed' });
    utimesSync(path, known.mtimeMs / 1000, known.mtimeMs / 1000);
    appendFileSync(path, '!');
    assert.deepEqual(readInside(dir(), 'file', LIMIT, { ...known, mtimeMs: knownOf(path).mtimeMs }), {
      error: 'changed',
    });
  });

  it('refuses a file that is written to while it is read', () => {
    const grow = (path: string): void => appendFileSync(path, '!');
    const touch = (path: string): void => utimesSync(path, 5, 5);
    const growUnnoticed = (path: string): void => {
      grow(path);
      utimesSync(path, 9, 9);
    };
    for (const change of [grow, touch, growUnnoticed]) {
      write(dir(), { file: Buffer.alloc(900_000) });
      const path = join(dir(), 'file');
      utimesSync(path, 9, 9);
      const read = whileReading(
        () => change(path),
        () => readInside(dir(), 'file', LIMIT, knownOf(path)),
      );
      assert.deepEqual(read, { error: 'changed' });
    }
  });

  it('gives what it opened whole when another file takes its name meanwhile', () => {
    write(dir(), { file: Buffer.alloc(900_000, 'a'), next: Buffer.alloc(900_000, 'b') });
    const read = whileReading(
      () => renameSync(join(dir(), 'next'), join(dir(), 'file')),
      () => readInside(dir(), 'file', LIMIT, knownOf(join(dir(), 'file'))),
    );
    assert.deepEqual(read, { bytes: Buffer.alloc(900_000, 'a') });
  });

  it('reads names that are not UTF-8, and names that look as these are shown', () => {
    const name = Buffer.concat([Buffer.from(`${dir()}/Caf`), Buffer.of(0xe9), Buffer.from('.json')]);
    writeFileSync(name, 'latin');
    writeFileSync(join(dir(), 'Caf\\xE9.json'), 'text');
    assert.deepEqual(readInside(dir(), 'Caf\\xE9.json', LIMIT), { bytes: Buffer.from('latin') });
    assert.deepEqual(readInside(dir(), 'Caf\\x5CxE9.json', LIMIT), { bytes: Buffer.from('text') });
  });

  it('says why it cannot read, without waiting for the writer of a pipe', () => {
    write(dir(), { large: Buffer.alloc(11), 'folder/file': '' });
    execFileSync('mkfifo', [join(dir(), 'pipe')]);
    assert.deepEqual(readInside(dir(), 'large', 10), { error: 'too-large' });
    assert.deepEqual(readInside(dir(), 'folder', LIMIT), { error: 'unreadable' });
    assert.deepEqual(readInside(dir(), 'pipe', LIMIT), { error: 'unreadable' });
    assert.deepEqual(readInside(dir(), 'none', LIMIT), { error: 'missing' });
    assert.deepEqual(readInside(dir(), 'large/none', LIMIT), { error: 'missing' });
    assert.deepEqual(readInside(dir(), 'nul\0', LIMIT), { error: 'unreadable' });
  });
});
