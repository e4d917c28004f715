/** `npm run bench -- plaintiffs --rows 1000000`: Intake beside its alternatives, on the same file and the same database. */
import { chmod, mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Client } from 'pg';
import { ensureStack, stopStack } from '../src/local/stack.ts';
import type { Contender, Course } from './contenders/contender.ts';
import { dlt } from './contenders/dlt.ts';
import { intake } from './contenders/intake.ts';
import { ownSqlPsql } from './contenders/ownSqlPsql.ts';
import { pgloader } from './contenders/pgloader.ts';
import { plainPsql } from './contenders/plainPsql.ts';
import { serverSettings, startAfresh, walPosition } from './database.ts';
import { writePlaintiffs } from './generate.ts';
import { phasesOf, tableOf, type Result } from './table.ts';

const CONTENDERS: readonly Contender[] = [intake('postgres'), intake('supabase'), plainPsql, ownSqlPsql, pgloader, dlt];
const DATA = resolve(import.meta.dirname, '.data');
const ANY_PORTS = { temporal: 0, ui: 0, postgres: 0, api: 0 };

interface Options {
  readonly rows: number;
  readonly seed: number;
  readonly runs: number;
  readonly only?: readonly Contender[];
  readonly json?: true;
}

const program = new Command('bench').description('Measures Intake beside its alternatives.');
program
  .command('plaintiffs')
  .option('--rows <n>', 'rows of the file', count, 1_000_000)
  .option('--seed <n>', 'seed of the file', count, 1)
  .option('--runs <n>', 'runs of each contender; the median counts', count, 1)
  .option('--only <names>', `some of ${CONTENDERS.map(({ name }) => name).join(',')}`, chosen)
  .option('--json', 'results as JSON on stdout')
  .action(plaintiffs);
await program.parseAsync();

async function plaintiffs({ rows, seed, runs, only = CONTENDERS, json }: Options): Promise<void> {
  const say = (line: string): void => console.error(line);
  const workDir = join(DATA, 'work');
  await mkdir(workDir, { recursive: true });
  const files = await filesOf(rows, seed);
  const stackDir = join(DATA, 'stack');
  await mkdir(stackDir, { recursive: true });
  await chmod(stackDir, 0o711); // the database's user passes through
  const stack = await ensureStack({ dir: stackDir, ports: ANY_PORTS, worker: false, onStep: say });
  const database = new Client({ connectionString: stack.databaseUrl });
  await database.connect();
  try {
    const course: Course = { stack, database, rows, seed, workDir, ...files };
    say(`${rows} rows, seed ${seed}; ${cpus().length} cores; ${await serverSettings(database)}`);
    const results: Result[] = [];
    for (const contender of only) {
      const missing = contender.missing();
      if (missing !== undefined) {
        say(`${contender.name}: skipped, ${missing}`);
        continue;
      }
      say(`${contender.name}: ${contender.about}`);
      results.push(await median(contender, course, runs, say));
    }
    const faults = differing(results, 'plaintiffs');
    if (json) console.log(JSON.stringify({ rows, seed, runs, results, sameContent: faults === undefined }, null, 2));
    else console.log([tableOf(results, rows), '', ...results.filter(({ phases }) => phases).map(phasesOf)].join('\n'));
    say(faults ?? 'The same number of plaintiffs from every contender that promotes.');
    if (faults !== undefined) process.exitCode = 1;
  } finally {
    await database.end();
    await stopStack(stack.dir);
  }
}

/** The middle one of some runs by time. */
async function median(contender: Contender, course: Course, runs: number, say: (line: string) => void): Promise<Result> {
  const results: Result[] = [];
  for (let n = 0; n < runs; n++) {
    await startAfresh(course.database, course.stack);
    const before = await walPosition(course.database);
    const outcome = await contender.run(course);
    const walMb = (await walPosition(course.database) - before) / 2 ** 20;
    say(`  ${outcome.seconds.toFixed(1)} s`);
    results.push({ name: contender.name, ...outcome, walMb });
  }
  return results.sort((a, b) => a.seconds - b.seconds)[Math.floor(runs / 2)] as Result;
}

function differing(results: readonly Result[], what: 'plaintiffs'): string | undefined {
  const found = results.filter((result) => result[what] !== undefined);
  if (new Set(found.map((result) => result[what])).size <= 1) return undefined;
  return `The numbers of ${what} differ: ${found.map((result) => `${result.name} ${result[what]}`).join(', ')}`;
}

/** The files of a seed, made once. */
async function filesOf(rows: number, seed: number): Promise<Pick<Course, 'file' | 'cleanedFile'>> {
  const file = join(DATA, `plaintiffs-${rows}-${seed}.csv`);
  const cleanedFile = join(DATA, `plaintiffs-${rows}-${seed}-cleaned.csv`);
  if (!existsSync(file)) await writePlaintiffs(file, { rows, seed });
  if (!existsSync(cleanedFile)) await writePlaintiffs(cleanedFile, { rows, seed, withoutRagged: true });
  return { file, cleanedFile };
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new Error(`a number from 1 on, not '${text}'`);
  return n;
}

function chosen(names: string): Contender[] {
  return names.split(',').map((name) => {
    const contender = CONTENDERS.find((c) => c.name === name);
    if (!contender) throw new Error(`no contender '${name}'`);
    return contender;
  });
}
