import { strict as assert } from 'node:assert';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteOldWork } from '../../src/staging/manifest.ts';

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
});
