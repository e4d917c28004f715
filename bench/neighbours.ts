/**
 * Program: what a small file of judgments costs beside a large table of plaintiffs, and what a file of plaintiffs costs beside it.
 * `node bench/neighbours.ts [plaintiffs]` makes a stack of its own, fills it (two million unless given) and takes it away again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ensureStack, stopStack } from '../src/local/stack.ts';
import { fillPlaintiffs } from './database.ts';
import { ANY_PORTS, importOf, plaintiffsFile } from './ownStack.ts';

const SAMPLE = fileURLToPath(new URL('../samples/simplicity.csv', import.meta.url));

const count = Number(process.argv[2] ?? 2_000_000);
const dir = await mkdtemp(join(tmpdir(), 'intake-neighbours-'));
const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);

try {
  const started = performance.now();
  const stack = await ensureStack({ dir, ports: ANY_PORTS });
  const sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  await fillPlaintiffs(sql, count);
  await sql.end();
  console.log(`${count} plaintiffs made in ${seconds(started)} s`);
  const alone = await importOf(dir, 'plaintiffs', await plaintiffsFile(dir, 'alone'), '--commit');
  const [judgments, beside] = await Promise.all([
    importOf(dir, 'simplicity', SAMPLE, '--commit'),
    importOf(dir, 'plaintiffs', await plaintiffsFile(dir, 'beside'), '--commit'),
  ]);
  console.log(`plaintiffs alone:                 ${alone.seconds} s, ${alone.inserted} inserted`);
  console.log(`judgments:                        ${judgments.seconds} s, ${judgments.inserted} inserted`);
  console.log(`plaintiffs beside the judgments:  ${beside.seconds} s, ${beside.inserted} inserted`);
} finally {
  await stopStack(dir);
  await rm(dir, { recursive: true, force: true });
}
