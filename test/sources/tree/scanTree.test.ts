import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { fileThreads } from '../../../src/sources/tree/fileThreads.ts';
import { readInside } from '../../../src/sources/tree/insideFile.ts';
import { GROUP, openRoot, scanTree, type TreeFile } from '../../../src/sources/tree/scanTree.ts';
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
      'FL/a_parse (1).json': '',
      'h.bmp': '',
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
        'other-json FL/a_parse (1).json',
        'json FL/a_parse.json',
        'image FL/deep/er/b.PNG',
        'other-json FL/plain.json',
        'image PA/c.jpeg',
        'json d_PARSE.json',
        'image e.webp',
        'image f.gif',
        'image g.jpg',
        'image h.bmp',
      ],
    );
    assert.deepEqual(files[1], { path: 'FL/a_parse.json', size: 2, mtimeMs: 1_700_000_000_123, kind: 'json' });
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

  it('gives links to files as files, follows no link to a folder, and names those that lead out of the tree', async () => {
    write(dir(), { 'root/FL/a.png': 'image', 'outside/b.png': 'far' });
    const root = join(dir(), 'root');
    symlinkSync('FL/a.png', join(root, 'in.png'));
    symlinkSync('../outside/b.png', join(root, 'out.png'));
    symlinkSync('nowhere', join(root, 'lost.png'));
    symlinkSync('nowhere', join(root, 'lost'));
    symlinkSync('FL', join(root, 'folder'));
    symlinkSync('..', join(root, 'FL/loop.png'));
    symlinkSync('../outside', join(root, 'other'));
    const files = await scan(root);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['FL/a.png', 'in.png', 'lost.png', 'other', 'out.png'],
    );
    assert.equal(files[1]?.size, 5);
    assert.equal(files[3]?.kind, 'link');
    assert.equal(files[4]?.size, '../outside/b.png'.length, 'nothing outside is asked for its size');
  });

  it('names a folder that cannot be read rather than leave it out', async () => {
    write(dir(), { 'AA/a.png': '' });
    // As a name that cannot be one: longer than the system takes.
    const long = 'B'.repeat(200);
    write(dir(), { [`${long}/b.png`]: '' });
    const job = fileThreads.run;
    fileThreads.run = (async (asked: Parameters<typeof job>[0]) => {
      if (asked.do === 'list' && asked.below !== '') rmSync(join(dir(), long), { recursive: true, force: true });
      return job(asked);
    }) as typeof job;
    try {
      await assert.rejects(scan(dir()), {
        code: 'FILE_UNREADABLE',
        message: `The directory '${long}/' cannot be read (ENOENT)`,
      });
    } finally {
      fileThreads.run = job;
    }
  });

  it('lists large folders in groups, with folders between their files, and all that can be asked ahead', async () => {
    const names = Array.from(
      { length: GROUP * 2 + 7 },
      (_, i) => `f${String(i).padStart(4, '0')}${i % 100 === 0 ? '/x.png' : '.png'}`,
    );
    write(dir(), Object.fromEntries(names.map((name, i) => [name, 'x'.repeat(i % 7)])));
    const files = await scan(dir());
    assert.deepEqual(
      files.map(({ path, size }) => [path, size]),
      names.map((name, i) => [name, i % 7]),
    );
  });

  it('waits for many folders at a time where each holds but one, with few files', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `Q${i + 100}/run1/shots/s_parse.json`);
    write(dir(), Object.fromEntries(names.map((name) => [name, '{}'])));
    const { run } = fileThreads;
    const waits = { now: 0, most: 0 };
    fileThreads.run = async (job) => {
      const isDeep = 'below' in job && job.below.split('/').length > 2;
      waits.most = Math.max(waits.most, (waits.now += isDeep ? 1 : 0));
      await sleep(5);
      return run(job).finally(() => (waits.now -= isDeep ? 1 : 0));
    };
    try {
      assert.deepEqual(await paths(dir()), names);
      assert.ok(waits.most > 4, `${waits.most} at a time`);
    } finally {
      fileThreads.run = run;
    }
  });

  it('gives names that are not UTF-8 with their bytes shown, which find the file again', async () => {
    const latin = (text: string) => Buffer.concat([Buffer.from(`${dir()}/`), Buffer.from(text, 'latin1')]);
    mkdirSync(latin('Nuevo M\xe9xico'));
    writeFileSync(latin('Nuevo M\xe9xico/Caf\xe9_01_parse.json'), '{}');
    writeFileSync(latin('Nuevo M\xe9xico/Caf\xc3\xa9_01.png'), 'png');
    write(dir(), { 'a\\xE9.png': '', 'b\\s.png': '' });
    const files = await scan(dir());
    assert.deepEqual(
      files.map(({ path, size }) => [path, size]),
      [
        ['Nuevo M\\xE9xico/Caf\\xE9_01_parse.json', 2],
        ['Nuevo M\\xE9xico/Café_01.png', 3],
        ['a\\x5CxE9.png', 0],
        ['b\\s.png', 0],
      ],
    );
    for (const { path, ...known } of files) assert.equal(readInside(dir(), path, 100, known).error, undefined, path);
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

  it('resolves links, so that paths below can be compared', async () => {
    mkdirSync(join(dir(), 'real'));
    symlinkSync('real', join(dir(), 'link'));
    assert.equal(await openRoot(join(dir(), 'link')), join(dir(), 'real'));
  });

  it('refuses what is no directory or does not exist', async () => {
    write(dir(), { file: '' });
    assert.ok(statSync(join(dir(), 'file')).isFile());
    await assert.rejects(() => openRoot(join(dir(), 'file')), { code: 'NOT_A_FILE' });
    await assert.rejects(() => openRoot(join(dir(), 'missing')), { code: 'FILE_NOT_FOUND' });
  });
});
