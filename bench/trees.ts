/**
 * Program: what planning costs for searches that all call their image `run1/screenshot.png`, and what an import costs beside it.
 * `node bench/trees.ts [searches]` makes a stack of its own (50,000 searches unless given) and takes it away again.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureStack, stopStack } from '../src/local/stack.ts';
import { png } from './generators/png.ts';
import { searchTree } from './generators/searchTree.ts';
import { ANY_PORTS, importOf, plaintiffsFile } from './ownStack.ts';

const count = Number(process.argv[2] ?? 50_000);
const dir = await mkdtemp(join(tmpdir(), 'intake-trees-'));

/** `FL/Q00001/run1/search_parse.json` and `screenshot.png` beside it; a few bytes each, since only their names cost here. */
function writeTree(searches: number): string {
  const root = join(dir, `tree-${searches}`);
  const image = png(1, 200);
  let i = 0;
  for (const { json } of searchTree({ seed: 1, files: searches })) {
    const folder = `FL/Q${String(i++).padStart(5, '0')}/run1`;
    const text = json
      .bytes()
      .toString()
      .replace(/"source_image_file": "[^"]*"/, `"source_image_file": "/data/${folder}/screenshot.png"`);
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, 'search_parse.json'), text);
    writeFileSync(join(root, folder, 'screenshot.png'), image);
  }
  return root;
}

const dryRun = (root: string) => importOf(dir, 'search-results', '--states-dir', root, '--tag', 'bench');
const plaintiffs = async (tag: string) => importOf(dir, 'plaintiffs', await plaintiffsFile(dir, tag), '--commit');

try {
  await ensureStack({ dir, ports: ANY_PORTS });
  const [few, many] = [writeTree(count / 10), writeTree(count)];
  await plaintiffs('first');
  const alone = await plaintiffs('alone');
  const small = await dryRun(few);
  const large = dryRun(many);
  await sleep(1000);
  const beside = await plaintiffs('beside');
  const { phases } = await large;
  console.log(`planning ${count / 10} searches:  ${small.phases['planning']} s`);
  console.log(`planning ${count} searches:  ${phases['planning']} s`);
  console.log(`plaintiffs alone:          ${alone.seconds} s`);
  console.log(`plaintiffs beside it:      ${beside.seconds} s`);
} finally {
  await stopStack(dir);
  await rm(dir, { recursive: true, force: true });
}
