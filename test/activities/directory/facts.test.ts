import { strict as assert } from 'node:assert';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFacts, type Listed } from '../../../src/activities/directory/facts.ts';
import { FileCache } from '../../../src/sources/tree/fileCache.ts';
import { fileThreads } from '../../../src/sources/tree/fileThreads.ts';
import { scanTree } from '../../../src/sources/tree/scanTree.ts';
import { useDirectory } from '../../sources/tree/tree.ts';
import { writeSearches } from '../../support/directoryImport.ts';

describe('readFacts', () => {
  const dir = useDirectory();

  it('reads in its next try only what a try that was given up had not read', async () => {
    const root = join(dir(), 'tree');
    mkdirSync(root);
    writeSearches(root, 200);
    const listed: Listed[] = [];
    for await (const file of scanTree(root)) if (file.kind === 'json') listed.push(file);
    const cache = new FileCache(join(dir(), 'cache'), root);
    let reads = 0;
    const { run } = fileThreads;
    const attempt = async (endAfter: number) => {
      const stop = new AbortController();
      reads = 0;
      fileThreads.run = (async (job: Parameters<typeof run>[0]) => {
        if (job.do !== 'read') return run(job);
        const read = await run(job);
        reads += read.length;
        if (reads >= endAfter) stop.abort();
        return read;
      }) as typeof run;
      return readFacts(root, listed, cache, stop.signal);
    };
    try {
      await assert.rejects(attempt(20));
      assert.ok(reads >= 20 && reads < 200, String(reads));
      const before = reads;
      const facts = await attempt(Infinity);
      assert.equal(reads, 200 - before);
      assert.equal((await attempt(Infinity)).length, 200);
      assert.equal(reads, 0);
      assert.ok(
        facts.every(
          ({ facts: { rows, key, image } }, i) =>
            rows === 1 && key && image?.endsWith(listed[i]!.path.replace('_parse.json', '.png')),
        ),
      );
    } finally {
      fileThreads.run = run;
      cache.close();
    }
  });
});
