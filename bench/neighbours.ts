/**
 * Program: what a small file of judgments costs beside a large table of plaintiffs, and what a file of plaintiffs costs beside it.
 * `node bench/neighbours.ts [plaintiffs]` makes a stack of its own, fills it (two million unless given) and takes it away again.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ensureStack, stopStack } from '../src/local/stack.ts';

const PROGRAM = fileURLToPath(new URL('../bin/intake.mjs', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../samples/simplicity.csv', import.meta.url));
const ANY_PORTS = { temporal: 0, ui: 0, postgres: 0, api: 0, metrics: 0, gateway: 0 };

const count = Number(process.argv[2] ?? 2_000_000);
const dir = await mkdtemp(join(tmpdir(), 'intake-neighbours-'));
const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);

/** Indexes are made when the rows are there: in a minute instead of ten. */
async function fill(sql: pg.Client): Promise<void> {
  const { rows } = await sql.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
     where indrelid = 'public.plaintiffs'::regclass and not indisprimary and not indisunique`,
  );
  for (const { name } of rows) await sql.query(`drop index ${name}`);
  await sql.query('set session_replication_role = replica');
  await sql.query(
    `insert into public.plaintiffs (dedupe_key, source_system, name, email, phone, address)
     select md5('k' || i) || md5('l' || i), 'csv', 'Neighbour Holdings ' || i, 'office' || i || '@neighbour.example.com',
            '555' || lpad(i::text, 8, '0'), i || ' Main Street'
     from generate_series(1, $1::int) i`,
    [count],
  );
  await sql.query('set session_replication_role = origin');
  for (const { definition } of rows) await sql.query(definition);
  await sql.query('analyze public.plaintiffs');
}

async function importOf(...args: string[]): Promise<{ seconds: number; inserted: number }> {
  const child = spawn(process.execPath, [PROGRAM, 'import', ...args, '--commit', '--json'], {
    env: { ...process.env, INTAKE_DIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await new Promise((ended) => child.once('close', ended));
  const { status, duration_seconds, counts } = JSON.parse(text);
  if (status !== 'completed') throw new Error(`${args.join(' ')}: ${status}`);
  return { seconds: duration_seconds, inserted: counts.inserted };
}

async function plaintiffsFile(tag: string): Promise<string> {
  const path = join(dir, `${tag}.csv`);
  const lines = Array.from({ length: 250 }, (_, i) => `${tag} Person ${i},${tag}${i}@new.example.com`);
  await writeFile(path, `plaintiff_name,email\n${lines.join('\n')}\n`);
  return path;
}

try {
  const started = performance.now();
  const stack = await ensureStack({ dir, ports: ANY_PORTS });
  const sql = new pg.Client({ connectionString: stack.databaseUrl });
  await sql.connect();
  await fill(sql);
  await sql.end();
  console.log(`${count} plaintiffs made in ${seconds(started)} s`);
  const alone = await importOf('plaintiffs', await plaintiffsFile('alone'));
  const [judgments, beside] = await Promise.all([
    importOf('simplicity', SAMPLE),
    importOf('plaintiffs', await plaintiffsFile('beside')),
  ]);
  console.log(`plaintiffs alone:                 ${alone.seconds} s, ${alone.inserted} inserted`);
  console.log(`judgments:                        ${judgments.seconds} s, ${judgments.inserted} inserted`);
  console.log(`plaintiffs beside the judgments:  ${beside.seconds} s, ${beside.inserted} inserted`);
} finally {
  await stopStack(dir);
  await rm(dir, { recursive: true, force: true });
}
