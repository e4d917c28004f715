import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { FileCache, type CachedFile, type PathAndKnown } from '../../../src/sources/tree/fileCache.ts';
import { useDirectory } from './tree.ts';

const NOW = 1_800_000_000_000;
const file = (i: number): PathAndKnown & CachedFile => ({
  path: `FL/${i}.png`,
  size: i,
  mtimeMs: NOW - 60_000 - i,
  sha256: `${i}`.padStart(64, 'a'),
  type: 'png',
});

describe('FileCache', () => {
  const dir = useDirectory();
  const open: FileCache[] = [];
  const cache = (root = '/tree'): FileCache => {
    const opened = new FileCache(dir(), root);
    open.push(opened);
    return opened;
  };
  afterEach(() => open.splice(0).forEach((opened) => opened.close()));
  const known = (from: FileCache, asked: readonly PathAndKnown[]): string[] => [...from.getMany(asked).keys()];

  it('gives back, in a later run, what was read of a file in the same state, and only that', () => {
    const facts = { rows: 3, image: null };
    const first = cache();
    first.putMany([file(1), { ...file(2), facts }], NOW);
    first.close();
    const found = cache().getMany([file(1), file(2), file(3), { ...file(1), path: 'FL/other.png' }]);
    assert.deepEqual(
      [...found],
      [
        ['FL/1.png', { sha256: file(1).sha256, type: 'png' }],
        ['FL/2.png', { sha256: file(2).sha256, type: 'png', facts }],
      ],
    );
    for (const changed of [{ size: 9 }, { mtimeMs: 9 }])
      assert.deepEqual(known(cache(), [{ ...file(1), ...changed }]), []);
    assert.deepEqual(known(cache('/another'), [file(1)]), []);
  });

  it('takes the newer state of a file in place of the older', () => {
    const opened = cache();
    opened.putMany([file(1)], NOW);
    opened.putMany([{ ...file(1), size: 77 }], NOW);
    assert.deepEqual(known(opened, [file(1)]), []);
    assert.deepEqual(known(opened, [{ ...file(1), size: 77 }]), ['FL/1.png']);
  });

  it('does not trust a file that changed just before it was read: it may change again within the same time', () => {
    const opened = cache();
    const just = [
      { ...file(1), mtimeMs: NOW - 3 },
      { ...file(2), mtimeMs: NOW - 1000 },
    ];
    opened.putMany([...just, file(3)], NOW);
    assert.deepEqual(known(opened, [...just, file(3)]), ['FL/3.png']);
    opened.putMany(just, NOW + 5000);
    assert.deepEqual(known(opened, just), ['FL/1.png', 'FL/2.png']);
  });

  it('is made anew where it is damaged, also while it is open', () => {
    const path = join(dir(), 'files.db');
    writeFileSync(path, 'this is no database'.repeat(100));
    const opened = cache();
    opened.putMany([file(1)], NOW);
    assert.deepEqual(known(opened, [file(1)]), ['FL/1.png']);
    opened.close();
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(20_000, 7)]));
    const again = cache();
    assert.deepEqual(known(again, [file(1)]), []);
    again.putMany([file(1)], NOW);
    again.putMany([file(1)], NOW);
    assert.deepEqual(known(again, [file(1)]), ['FL/1.png']);
  });

  it('of another version is emptied', () => {
    cache().putMany([file(1)], NOW);
    open.splice(0).forEach((opened) => opened.close());
    const db = new DatabaseSync(join(dir(), 'files.db'));
    db.exec('DROP TABLE files; CREATE TABLE files (other INTEGER); PRAGMA user_version = 99;');
    db.close();
    const opened = cache();
    opened.putMany([file(1)], NOW);
    assert.deepEqual(known(opened, [file(1)]), ['FL/1.png']);
  });

  it('does without where its place cannot be written', () => {
    writeFileSync(join(dir(), 'file'), '');
    const opened = new FileCache(join(dir(), 'file'), '/tree');
    opened.putMany([file(1)], NOW);
    assert.equal(opened.getMany([file(1)]).size, 0);
  });

  it('forgets trees that nobody has imported for a month', () => {
    cache('/old').putMany([file(1)], NOW);
    open.splice(0).forEach((opened) => opened.close());
    const db = new DatabaseSync(join(dir(), 'files.db'));
    db.exec(`UPDATE roots SET used = ${Date.now() - 31 * 86_400_000}`);
    cache('/new').putMany([file(2)], NOW);
    assert.deepEqual(
      db
        .prepare('SELECT path FROM files')
        .all()
        .map((row) => row.path),
      ['FL/2.png'],
    );
    db.close();
    assert.ok(statSync(join(dir(), 'files.db')).size < 100_000);
  });

  it('serves several processes at once, without a warning', async () => {
    const module = new URL('../../../src/sources/tree/fileCache.ts', import.meta.url);
    const program = `import { FileCache } from ${JSON.stringify(module.href)};
      const cache = new FileCache(process.argv[1], '/tree');
      for (let i = 0; i < 120; i++) {
        const path = process.argv[2] + '/' + i;
        cache.putMany([{ path, size: 1, mtimeMs: 1, sha256: 'a', type: 'png' }], Date.now());
        if (cache.getMany([{ path, size: 1, mtimeMs: 1 }]).size !== 1) process.exitCode = 1;
      }
      cache.close();`;
    const run = (name: string): Promise<{ stderr: string }> =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, dir(), name]);
    for (const { stderr } of await Promise.all(['a', 'b', 'c'].map(run))) assert.equal(stderr, '');
    const all = ['a', 'b', 'c'].flatMap((name) =>
      Array.from({ length: 120 }, (_, i) => ({ path: `${name}/${i}`, size: 1, mtimeMs: 1 })),
    );
    assert.equal(cache().getMany(all).size, 360);
  });
});
