/**
 * Program: one file of plaintiffs by 1, 2, 4 and 8 workers, each of which may run a share of the time only, so that the database has more than
 * its clients: rows a second, and where more workers bring no more. `npm run bench:workers` prints a table and draws docs/images/workers.svg.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Client } from 'pg';
import { SMALL_PROCESS } from '../src/local/environment.ts';
import { stopStack, type Stack } from '../src/local/stack.ts';
import { connectTemporal } from '../src/temporal/connect.ts';
import { workflowBundle } from '../src/workflows/bundle.ts';
import { configurationOf, runImport } from './contenders/intake.ts';
import { startAfresh } from './database.ts';
import { writeRows } from './generators/file.ts';
import { COLUMNS, plaintiffsRows } from './generators/plaintiffs.ts';
import { DATA, keptStack } from './ownStack.ts';
import { startWorkerProcess } from './workerProcess.ts';
import { drawWorkers, type WorkersPoint } from './workersFigure.ts';

const FIGURE = resolve(import.meta.dirname, '../docs/images/workers.svg');
/** More than all of them can take at a time. */
const WINDOW = 32;

const { rows, share, workers } = new Command('workers')
  .description('One file by more and more workers that may run a share of the time.')
  .option('--rows <n>', 'rows of the file', Number, 200_000)
  .option('--share <n>', 'share of the time that a worker may run', Number, 0.15)
  .option('--workers <numbers>', 'how many', (list: string) => list.split(',').map(Number), [1, 2, 4, 8])
  .parse()
  .opts<{ rows: number; share: number; workers: number[] }>();

const stack = await keptStack(() => undefined);
const file = join(DATA, `plaintiffs-${rows}-1.csv`);
if (!existsSync(file)) await writeRows(file, COLUMNS, plaintiffsRows(1, rows));
const database = new Client({ connectionString: stack.adminUrl });
await database.connect();
try {
  const points: WorkersPoint[] = [];
  for (const count of workers) {
    await startAfresh(database, stack);
    points.push(await importBy(count, stack));
    const { parse, upsert, whole } = points.at(-1)!;
    console.log(`| ${[count, parse, upsert, whole].map((n) => String(Math.round(n)).padStart(7)).join(' | ')} |`);
  }
  await writeFile(FIGURE, drawWorkers(points, share));
} finally {
  await database.end();
  await stopStack(stack.dir);
}

async function importBy(count: number, stack: Stack): Promise<WorkersPoint> {
  const { env, config } = configurationOf({ stack });
  workflowBundle(join(config.dir, 'cache')); // built ahead, by a process of its own
  const started = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const logs = join(DATA, 'work', `worker-${i}`);
      await mkdir(logs, { recursive: true });
      return startWorkerProcess({ ...env, ...SMALL_PROCESS }, logs);
    }),
  );
  const client = await connectTemporal(config);
  try {
    started.forEach((worker) => worker.throttle(share));
    const since = performance.now();
    const request = { kind: 'plaintiffs', path: file, mode: 'commit', backend: 'postgres' } as const;
    const { report } = await runImport(client, { ...config, window: WINDOW }, request);
    const seconds = (performance.now() - since) / 1000;
    if (report.status !== 'completed') throw new Error(`${count} workers: ${report.status} ${report.error?.message}`);
    const rate = (phase: string) => rows / (report.phases[phase as keyof typeof report.phases]?.seconds ?? NaN);
    return { workers: count, parse: rate('parse'), upsert: rate('upsert'), whole: rows / seconds };
  } finally {
    await client.connection.close();
    await Promise.all(started.map((worker) => worker.stop()));
  }
}
