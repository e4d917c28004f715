import { strict as assert } from 'node:assert';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folderObjects } from '../../../src/database/objects/folder.ts';
import { useDirectory } from '../../sources/tree/tree.ts';

describe('a folder of objects', () => {
  const directory = useDirectory();
  const idOf = async (root: string) => (await folderObjects(root).identity())?.id;

  it('is one for all that look at it, also for many that are the first at once, and another than others', async () => {
    const root = join(directory(), 'objects');
    const ids = new Set(await Promise.all(Array.from({ length: 40 }, () => idOf(root))));
    assert.equal(ids.size, 1);
    assert.equal(await idOf(root), [...ids][0]);
    assert.notEqual(await idOf(join(directory(), 'others')), [...ids][0]);
    assert.deepEqual(await readdir(join(root, '.drafts')), []);
  });

  it('is marked by the first object, keeps its mark, and is another one when that is gone', async () => {
    const root = join(directory(), 'written');
    await folderObjects(root).put('a/b', Buffer.from('text'));
    const id = await readFile(join(root, '.store'), 'utf8');
    assert.equal(await idOf(root), id.trim());
    await cp(root, `${root}-restored`, { recursive: true });
    assert.equal(await idOf(`${root}-restored`), id.trim());
    const living = folderObjects(root);
    await rm(join(root, '.store'));
    assert.notEqual((await living.identity())?.id, id.trim());
  });

  it('says nothing where its mark is empty, or it can be neither read nor marked', async () => {
    const root = join(directory(), 'full');
    await mkdir(root);
    await writeFile(join(root, '.store'), '');
    assert.equal(await idOf(root), undefined);
    await writeFile(join(directory(), 'file'), '');
    assert.equal(await idOf(join(directory(), 'file')), undefined);
  });
});
