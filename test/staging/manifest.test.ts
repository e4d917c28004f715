import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digest } from '../../src/sources/file.ts';
import {
  layoutOf,
  deleteOldWork,
  localManifest,
  removeManifest,
  saveManifest,
  type StoredManifest,
} from '../../src/staging/manifest.ts';

describe('the name of a cut', () => {
  it('is none under which earlier versions, which cut elsewhere, have stored parts of the same content', () => {
    const dialect = { encoding: 'utf-8', delimiter: ',', newline: 'lf' } as const;
    const sha256 = 'a'.repeat(64);
    const earlier = createHash('sha256').update([sha256, 'utf-8', ',', 'lf', 4_000_000].join('\n'));
    assert.notEqual(layoutOf(sha256, dialect, 4_000_000), earlier.digest('hex').slice(0, 16));
    assert.equal(layoutOf(sha256, dialect, 4_000_000), layoutOf(sha256, dialect, 4_000_000));
  });
});

describe('the work directory of a host', () => {
  it('loses what imports left there more than a week ago, and nothing else', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'intake-work-'));
    try {
      await mkdir(join(dir, 'trees', 'old'), { recursive: true });
      await mkdir(join(dir, 'trees', 'new'));
      await mkdir(join(dir, 'push'));
      for (const name of ['old.json', 'old.json.1.tmp', 'new.json', 'trees/old/slice-00000.json'])
        await writeFile(join(dir, name), '{}');
      const weekAgo = new Date(Date.now() - 8 * 86_400_000);
      for (const name of ['old.json', 'old.json.1.tmp', 'trees/old', 'push'])
        await utimes(join(dir, name), weekAgo, weekAgo);
      await deleteOldWork(dir);
      assert.deepEqual((await readdir(dir)).sort(), ['new.json', 'push', 'trees']);
      assert.deepEqual(await readdir(join(dir, 'trees')), ['new']);
      await deleteOldWork(join(dir, 'nowhere'));
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('has a manifest of each import of a content, which goes at the end of that import with its drafts', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'intake-work-'));
    try {
      const head = Buffer.from('a,b\n');
      const file = join(dir, 'file.csv');
      await writeFile(file, head);
      const manifest = {
        ...{ version: 1, filename: 'file.csv', sha256: 'x', bytes: 4, rows: 1, encoding: 'utf-8', delimiter: ',' },
        ...{ newline: 'lf', headerOffset: 0, headerLength: 4, headerSha256: digest(head), chunks: [] },
      } as StoredManifest;
      for (const id of ['one', 'two']) await saveManifest(dir, 'cut', id, manifest);
      const draft = (await readdir(dir)).find((name) => name.startsWith('cut-'))!;
      await writeFile(join(dir, `${draft}.1.tmp`), '{');
      await removeManifest(dir, 'one');
      await removeManifest(dir, 'one');
      await removeManifest(dir, 'nobody');
      const left = (await readdir(dir)).filter((name) => name !== 'file.csv');
      assert.ok(left.every((name) => name.startsWith('cut-')) && left.length <= 2, left.join());
      assert.deepEqual((await localManifest(dir, 'cut', 'two', file)).header, ['a', 'b']);
      await writeFile(join(dir, 'old.json'), '{"version"'); // its host crashed
      await assert.rejects(localManifest(dir, 'old', 'two', file), { code: 'OBJECT_CORRUPT' });
      await rm(join(dir, 'old.json'));
      await removeManifest(dir, 'two');
      assert.deepEqual(await readdir(dir), ['file.csv']);
      await assert.rejects(localManifest(dir, 'another', 'two', file), { code: 'OBJECT_MISSING' });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
