/** 515 searches with their screenshots: a directory of JSON files and images (runbook 004). */
import { existsSync } from 'node:fs';
import { mkdtemp, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { intakeDirectory } from '../contenders/intake.ts';
import { sequential } from '../contenders/sequential.ts';
import type { Counts } from '../contenders/contender.ts';
import { searchTree, writeSearchTree } from '../generators/searchTree.ts';
import { onPath, run } from '../programs.ts';
import type { Subject } from './subject.ts';

/** A file as young as this may change without a new time: Intake does not keep what it knows of it. */
const SETTLED_MS = 2500;

const COUNTS = `
select jsonb_build_object(
  'results', (select count(*) from public.search_results),
  'results without a licence', (select count(*) from public.search_results where license_number is null),
  'images', (select count(*) from public.images),
  'stored images', (select count(distinct storage_path) from public.images)) as counts`;

const backendOf = (name: string): string => (name.includes('supabase') ? 'supabase' : 'postgres');

export const searchResults: Subject = {
  name: 'search-results',
  kind: 'search-results',
  unit: 'files',
  rows: 515,
  imageBytes: 110_000,
  contenders: [
    sequential('postgres'),
    ...intakeDirectory('postgres'),
    sequential('supabase'),
    ...intakeDirectory('supabase'),
  ],
  ratios: [
    { head: 'rate / sequential', contender: (name) => `sequential-${backendOf(name)}`, of: 'rate' },
    {
      head: 'rate / cold',
      contender: (name) => (name.startsWith('intake') ? `intake-${backendOf(name)}-cold` : undefined),
      of: 'rate',
    },
  ],
  async filesOf(dir, files, seed, imageBytes = 110_000) {
    const root = join(dir, `search-results-${files}-${imageBytes}-${seed}`);
    if (!existsSync(root)) {
      const draft = await mkdtemp(join(dir, `${basename(root)}.`));
      writeSearchTree(draft, { seed, files, imageBytes });
      await rename(draft, root);
      // Not while the first contender writes.
      if (onPath('sync')) await run('sync', []);
      await sleep(SETTLED_MS);
    }
    return { file: root, cleanedFile: root };
  },
  expected(files, seed) {
    const natures = Map.groupBy(searchTree({ seed, files }), ({ nature }) => nature);
    const of = (nature: Parameters<typeof natures.get>[0]): number => natures.get(nature)?.length ?? 0;
    const results = files + 2 * of('several');
    return {
      results,
      'results without a licence': of('no-results'),
      images: results,
      'stored images': files - of('shared-image'),
    };
  },
  async count(database) {
    const { rows } = await database.query<{ counts: Counts }>(COUNTS);
    return rows[0]!.counts;
  },
};
