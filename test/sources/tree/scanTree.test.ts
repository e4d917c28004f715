import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openRoot, scanTree, type TreeFile } from '../../../src/sources/tree/scanTree.ts';
import { useDirectory, write } from './tree.ts';

async function scan(root: string): Promise<TreeFile[]> {
  const files: TreeFile[] = [];
  for await (const file of scanTree(root)) files.push(file);
  return files;
}
const paths = async (root: string): Promise<string[]> => (await scan(root)).map(({ path }) => path);

describe('scanTree', () => {
  const dir = useDirectory();

  it('finds JSON files and images in all folders, with their sizes and times, and nothing else', async () => {
    write(dir(), {
      'FL/a_parse.json': '{}',
      'FL/deep/er/b.PNG': 'png',
      'PA/c.jpeg': '',
      'd_PARSE.json': '',
      'e.webp': '',
      'f.gif': '',
      'g.jpg': '',
      'FL/plain.json': '',
      'notes.txt': '',
      '.hidden/h.png': '',
      'FL/._a_parse.json': '',
    });
    mkdirSync(join(dir(), 'folder.png'));
    execFileSync('mkfifo', [join(dir(), 'pipe.png')]);
    utimesSync(join(dir(), 'FL/a_parse.json'), 1_700_000_000, 1_700_000_000.123);
    const files = await scan(dir());
    assert.deepEqual(
      files.map(({ path, kind }) => `${kind} ${path}`),
      [
        'json FL/a_parse.json',
        'image FL/deep/er/b.PNG',
        'image PA/c.jpeg',
        'json d_PARSE.json',
        'image e.webp',
        'image f.gif',
        'image g.jpg',
      ],
    );
    assert.deepEqual(files[0], { path: 'FL/a_parse.json', size: 2, mtimeMs: 1_700_000_000_123, kind: 'json' });
  });

  it("gives them in the order of their paths' bytes, whatever their names", async () => {
    const segment = fc.constantFrom('a', 'a-b', 'a.b', 'A', 'é', '\u{1f600}', '\uffee', 'Z0', '_');
    const path = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((segments) => `${segments.map((name) => `${name}d`).join('/')}.png`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), async (names) => {
        const root = join(dir(), 'tree');
        write(root, Object.fromEntries(['0.png', ...names].map((name) => [name, ''])));
        try {
          assert.deepEqual(
            await paths(root),
            ['0.png', ...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
          );
        } finally {
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives links to files as files, and does not follow links to folders', async () => {
    write(dir(), { 'root/FL/a.png': 'image', 'outside/b.png': 'far' });
    const root = join(dir(), 'root');
    symlinkSync('FL/a.png', join(root, 'in.png'));
    symlinkSync('../outside/b.png', join(root, 'out.png'));
    symlinkSync('nowhere', join(root, 'lost.png'));
    symlinkSync('FL', join(root, 'folder'));
    symlinkSync('..', join(root, 'FL/loop.png'));
    symlinkSync('../outside', join(root, 'other'));
    const files = await scan(root);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['FL/a.png', 'in.png', 'lost.png', 'out.png'],
    );
    assert.equal(files[1]?.size, 5);
    assert.equal(files[3]?.size, '../outside/b.png'.length, 'nothing outside is asked for its size');
  });

  it('names a folder that cannot be read rather than leave it out', async () => {
    write(dir(), { 'AA/a.png': '', 'BB/b.png': '' });
    const files = scanTree(dir());
    await files.next();
    rmSync(join(dir(), 'BB'), { recursive: true });
    await assert.rejects(files.next(), {
      code: 'FILE_UNREADABLE',
      message: "The directory 'BB/' cannot be read (ENOENT)",
    });
  });

  it('gives a file that vanished since its folder was read, for its reader to explain', async () => {
    write(dir(), { 'a.png': '1', 'b.png': '1' });
    const files = scanTree(dir());
    await files.next();
    rmSync(join(dir(), 'b.png'));
    assert.deepEqual((await files.next()).value, { path: 'b.png', size: 0, mtimeMs: 0, kind: 'image' });
  });

  it('stops when it is told to', async () => {
    write(dir(), Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`${i}.png`, ''])));
    const stop = new AbortController();
    let seen = 0;
    await assert.rejects(
      async () => {
        for await (const { path } of scanTree(dir(), { signal: stop.signal })) if (path && ++seen === 10) stop.abort();
      },
      { name: 'AbortError' },
    );
    assert.ok(seen < 600);
  });
});

describe('openRoot', () => {
  const dir = useDirectory();

  it('resolves links, so that paths below can be compared', () => {
    mkdirSync(join(dir(), 'real'));
    symlinkSync('real', join(dir(), 'link'));
    assert.equal(openRoot(join(dir(), 'link')), join(dir(), 'real'));
  });

  it('refuses what is no directory or does not exist', () => {
    write(dir(), { file: '' });
    assert.ok(statSync(join(dir(), 'file')).isFile());
    assert.throws(() => openRoot(join(dir(), 'file')), { code: 'NOT_A_FILE' });
    assert.throws(() => openRoot(join(dir(), 'missing')), { code: 'FILE_NOT_FOUND' });
  });
});
