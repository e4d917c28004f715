/**
 * Program: `npm run chaos -- --minutes N` imports files of every kind on both backends while parts of the stack, or all of it, are killed
 * or stopped at random, then lets it come to rest and counts. It makes a stack of its own and takes it away again. What it prints stands in
 * docs/reliability.md; exit code 1 says that something was lost, doubled or left behind.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from 'commander';
import pg from 'pg';
import { signal } from '../src/local/processes.ts';
import { ensureStack, stopStack } from '../src/local/stack.ts';
import { CHILDREN, readSupervisor, type ChildName } from '../src/local/state.ts';
import { MAKERS, TENANT, type ChaosFile } from './chaosFiles.ts';
import { mulberry32, picker } from './generators/random.ts';
import { ANY_PORTS } from './ownStack.ts';

const PROGRAM = fileURLToPath(new URL('../bin/intake.mjs', import.meta.url));
const BACKENDS = ['postgres', 'supabase'] as const;
/** Imports at a time. */
const AT_ONCE = 4;
/** What comes to rest does so within these: a run whose worker was stopped waits for its time limits. */
const REST_MS = 10 * 60_000;

interface Started extends ChaosFile {
  readonly batch: string;
  readonly backend: string;
}

interface Run {
  readonly id: string;
  readonly batch: string;
  readonly status: string;
  readonly fetched: number;
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  readonly errored: number;
}

const { minutes, seed } = new Command('chaos')
  .description('Imports of every kind while the stack is killed and stopped at random.')
  .option('--minutes <n>', 'how long faults are made', Number, 3)
  .option('--seed <n>', 'seed of the order of faults', Number, Date.now() % 100_000)
  .parse()
  .opts<{ minutes: number; seed: number }>();
const random = mulberry32(seed);
const pick = picker(random);
const dir = await mkdtemp(join(tmpdir(), 'intake-chaos-'));
const stackDir = join(dir, 'stack');
const made = new Map<string, number>();
const started: Started[] = [];
const faults: string[] = [];
/** Once a minute: memory of the worker and size of the stack's folder. */
const samples: { readonly minute: number; readonly workerMb: number; readonly diskMb: number }[] = [];
let peakMb = 0;

const say = (line: string): void => console.error(line);
const startStack = () => ensureStack({ dir: stackDir, ports: ANY_PORTS });

function intake(...words: string[]): Promise<{ code: number; text: string }> {
  const options = { env: { ...process.env, INTAKE_DIR: stackDir }, timeout: 120_000, maxBuffer: 2 ** 26 };
  return new Promise((resolve) =>
    execFile(process.execPath, [PROGRAM, ...words], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: out + err }),
    ),
  );
}

async function query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
  const { databaseUrl } = await startStack();
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Starts file `n`, as often as it takes: a command beside a stack that is being killed may fail. */
async function start(n: number): Promise<void> {
  const file = await MAKERS[n % MAKERS.length]!(dir, n);
  const backend = BACKENDS[Math.floor(n / MAKERS.length) % 2]!;
  const batch = `chaos-${n}`;
  const words = ['import', file.kind, ...file.words, '--batch-id', batch, '--backend', backend, '--commit', '--detach'];
  for (let tries = 1; ; tries++) {
    const { code, text } = await intake(...words);
    if (code === 0) break;
    if (tries === 20) throw new Error(`${words.join(' ')} does not start: ${text.slice(-500)}`);
    await sleep(2000);
  }
  started.push({ ...file, batch, backend });
}

const runsNow = (): Promise<Run[]> =>
  query<Run>(`select id, source_batch_id as batch, status, rows_fetched as fetched, rows_inserted as inserted, rows_updated as updated,
    rows_skipped as skipped, rows_errored as errored from ingest.import_runs where source_batch_id like 'chaos-%'`);

const processOf = (name: ChildName) => readSupervisor(stackDir)?.children[name]?.process;

/** One fault: of a part, or of everything. */
async function disturb(): Promise<void> {
  const kind = pick(['kill', 'kill', 'kill', 'stop', 'kill all', 'down']);
  const part = pick([...CHILDREN]);
  const name = kind === 'kill' || kind === 'stop' ? `${kind} ${part}` : kind;
  made.set(name, (made.get(name) ?? 0) + 1);
  if (kind === 'down') return void (await intake('down'));
  const { supervisor, children } = readSupervisor(stackDir) ?? {};
  const all = [supervisor, ...Object.values(children ?? {}).map(({ process }) => process)];
  for (const target of kind === 'kill all' ? all : [processOf(part)]) {
    if (target === undefined) continue;
    signal(target, kind === 'stop' ? 'SIGSTOP' : 'SIGKILL');
    if (kind !== 'stop') continue;
    await sleep(3000 + random() * 12_000);
    signal(target, 'SIGCONT');
  }
}

async function sample(began: number): Promise<void> {
  const pid = processOf('worker')?.pid;
  const status = pid === undefined ? '' : await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const workerMb = Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  peakMb = Math.max(peakMb, workerMb);
  const minute = Math.floor((Date.now() - began) / 60_000);
  if (workerMb === 0 || samples.at(-1)?.minute === minute) return;
  const { stdout } = await promisify(execFile)('du', ['-sm', stackDir]).catch((error: { stdout: string }) => error);
  samples.push({ minute, workerMb, diskMb: Number.parseInt(stdout, 10) });
}

async function makeFaults(): Promise<void> {
  const began = Date.now();
  const until = began + minutes * 60_000;
  const starting = new Set<Promise<void>>();
  let n = 0;
  while (Date.now() < until) {
    const running = await runsNow()
      .then((runs) => runs.filter(({ status }) => status !== 'completed').length)
      .catch(() => AT_ONCE);
    while (starting.size + running < AT_ONCE && starting.size < AT_ONCE) {
      const one: Promise<void> = start(n++)
        .catch((error: Error) => void faults.push(error.message))
        .finally(() => starting.delete(one));
      starting.add(one);
    }
    await sleep(1000 + random() * 5000);
    await sample(began);
    await disturb();
    await startStack().catch(() => undefined); // as any command of an operator does
  }
  await Promise.all(starting);
}

/** Waits until every import has ended. */
async function comeToRest(): Promise<number> {
  const since = Date.now();
  await startStack();
  for (;;) {
    const ended = new Set((await runsNow()).filter(({ status }) => status === 'completed').map(({ batch }) => batch));
    const open = started.filter(({ batch }) => !ended.has(batch));
    if (open.length === 0 || Date.now() - since > REST_MS) {
      for (const { batch, kind, backend } of open) faults.push(`${batch} (${kind}, ${backend}) has not ended`);
      return Date.now() - since;
    }
    await sleep(1000);
  }
}

/** What must be true when all is at rest. */
async function count(): Promise<void> {
  const runs = new Map((await runsNow()).map((run) => [run.batch, run]));
  for (const { batch, kind, backend, rows, inserted } of started) {
    const run = runs.get(batch);
    if (run?.status !== 'completed') continue; // told already
    const sum = run.inserted + run.updated + run.skipped + run.errored;
    if (run.fetched !== rows || sum !== rows || run.inserted !== inserted)
      faults.push(
        `${batch} (${kind}, ${backend}): ${run.fetched} read of ${rows}, ${run.inserted} inserted of ${inserted}, ${sum} accounted for`,
      );
    const { code, text } = await intake('verify', run.id);
    if (code !== 0) faults.push(`${batch} (${kind}, ${backend}): verify ends with ${code}: ${text.slice(-300)}`);
  }
  const of = (kind: string) =>
    started.filter((file) => file.kind === kind).reduce((sum, { inserted }) => sum + inserted, 0);
  const [tables] = await query<Record<string, string>>(
    `select
    (select count(*) from public.plaintiffs where source_system like 'chaos-%' and dedupe_key in (
      select plaintiff_key from ingest.plaintiffs_raw where status = 'promoted')) as plaintiffs,
    (select count(*) from public.judgments) as judgments,
    (select count(*) from public.search_results) as "search-results",
    (select count(*) from public.projects where tenant_id = $1) as projects`,
    [TENANT],
  );
  const wanted = {
    plaintiffs: of('plaintiffs'),
    judgments: of('simplicity') + of('jbi'),
    'search-results': of('search-results'),
    projects: of('projects'),
  };
  for (const [name, n] of Object.entries(wanted))
    if (Number(tables?.[name]) !== n) faults.push(`${name}: ${tables?.[name]} production rows, not ${n}`);
  const [left] = await query<Record<string, string>>(`select
    (select count(*) from ingest_stage.plaintiffs) + (select count(*) from ingest_stage.judgments) + (select count(*) from ingest_stage.judgments_plan)
      + (select count(*) from ingest_stage.search_results) + (select count(*) from ingest_stage.projects) as "rows in a stage",
    (select count(*) from ingest.import_runs where status in ('pending', 'processing')) as "runs in progress",
    (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
       and (state like 'idle in transaction%' or state = 'active') and backend_type = 'client backend'
       and state_change < now() - interval '30 s') as "sessions that hold a transaction"`);
  for (const [name, n] of Object.entries(left ?? {})) if (Number(n) !== 0) faults.push(`${n} ${name}`);
}

try {
  await startStack();
  await intake('tenants', 'add', TENANT);
  say(`seed ${seed}, ${minutes} minutes of faults`);
  await makeFaults();
  say(
    `${[...made.values()].reduce((a, b) => a + b, 0)} faults made, ${started.length} imports started; coming to rest`,
  );
  const rest = await comeToRest();
  await count();
  const kinds = [...new Set(started.map(({ kind, backend }) => `${kind} on ${backend}`))].sort();
  console.log('| fault | times |\n|---|---:|');
  for (const [name, times] of [...made].sort()) console.log(`| ${name} | ${times} |`);
  console.log('\n| imports | started | rows |\n|---|---:|---:|');
  for (const name of kinds) {
    const own = started.filter(({ kind, backend }) => `${kind} on ${backend}` === name);
    console.log(`| ${name} | ${own.length} | ${own.reduce((sum, { rows }) => sum + rows, 0)} |`);
  }
  console.log(
    `\nAt rest ${(rest / 1000).toFixed(0)} s after the last fault; the worker took ${peakMb.toFixed(0)} MB at most.`,
  );
  for (const fault of faults) console.log(`FAULT: ${fault}`);
  console.log(`${started.length} imports, ${faults.length} faults found`);
  if (faults.length > 0) process.exitCode = 1;
} finally {
  await stopStack(stackDir).catch((error: Error) => say(error.message));
  await rm(dir, { recursive: true, force: true });
}
