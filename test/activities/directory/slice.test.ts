import { strict as assert } from 'node:assert';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folderObjects } from '../../../src/database/objects/folder.ts';
import type { Backend } from '../../../src/database/backend.ts';
import { loadImages, loadSlice, saveImages, saveSlice, storeSlice } from '../../../src/activities/directory/slice.ts';
import { useDirectory } from '../../sources/tree/tree.ts';

describe('the list of files of a directory', () => {
  const directory = useDirectory();
  const slice = { firstBatch: 0, files: [], calls: [1] };

  it('is read from storage where this host has lost it or a crash cut it off; with neither the error says which', async () => {
    const work = join(directory(), 'work');
    const backend = { objects: folderObjects(join(directory(), 'objects')) } as Backend;
    const kept = join(work, 'trees', 'l', 'slice-00000.json');
    await storeSlice(backend, 'l', 0, await saveSlice(work, 'l', 0, slice));
    for (const damage of [() => writeFile(kept, '{"firstB'), () => rm(work, { recursive: true })]) {
      await damage();
      assert.deepEqual(await loadSlice(work, backend, 'l', 0), slice);
    }
    await backend.objects.put('trees/l/slice-00000.json', Buffer.from('{"firstB'));
    await assert.rejects(loadSlice(work, backend, 'l', 0), { code: 'OBJECT_CORRUPT' });
    await backend.objects.remove('trees/l/slice-00000.json');
    await assert.rejects(loadSlice(work, backend, 'l', 0), { code: 'OBJECT_MISSING' });
  });

  it('without what was found out about its images they are looked at again', async () => {
    await saveImages(directory(), 'l', 0, new Map([['a.png', { sha256: 'x', type: 'png' }]]));
    assert.equal((await loadImages(directory(), 'l', 0)).size, 1);
    await writeFile(join(directory(), 'trees', 'l', 'images-00000.json'), '[["a.p');
    assert.equal((await loadImages(directory(), 'l', 0)).size, 0);
  });
});
