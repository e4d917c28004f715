/** One embedded stack without a worker for the whole test run; databases and APIs of their own for each suite. */
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { ensureStack, stopStack } from '../../src/local/stack.ts';
import type { Stack } from '../../src/local/stack.ts';
import { setUpDatabase, startSupabaseApi } from '../../src/local/supabaseApi.ts';
import { workflowBundle } from '../../src/workflows/bundle.ts';

export const ANY_PORTS = { temporal: 0, ui: 0, postgres: 0, api: 0, metrics: 0, gateway: 0 };
/** Kept from run to run: bundles of the workflows, by the hash of their sources. */
export const TEST_CACHE = fileURLToPath(new URL('../../node_modules/.cache/intake-tests', import.meta.url));
const TEMPLATE = 'intake_template';

let shared: Promise<Stack> | undefined;
let template: Promise<void> | undefined;
let lastClone: Promise<unknown> = Promise.resolve();

/** The stack of this test run, started by the first who asks. */
export function sharedStack(): Promise<Stack> {
  shared ??= makeStackFolder().then((dir) => ensureStack({ dir, ports: ANY_PORTS, worker: false }));
  return shared;
}

/** A folder for a stack; the database's user may pass through it, so that all of the stack stays in it. */
export async function makeStackFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'intake-test-'));
  await chmod(dir, 0o711);
  await giveBundle(dir);
  return dir;
}

/** Saves the workers of a folder the seconds of bundling the workflows. */
export async function giveBundle(dir: string): Promise<void> {
  const bundle = workflowBundle(TEST_CACHE);
  await mkdir(join(dir, 'cache'), { recursive: true, mode: 0o700 });
  await copyFile(bundle, join(dir, 'cache', basename(bundle)));
}

export interface TestDatabase {
  readonly databaseUrl: string;
  drop(): Promise<void>;
}

/** A new migrated database: a copy of one that is migrated once per run. */
export async function createDatabase(): Promise<TestDatabase> {
  const stack = await sharedStack();
  template ??= createTemplate(stack);
  await template;
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  // The usual strategy writes every page to the log, too: four times the CPU.
  const copy = lastClone.then(() => asAdmin(stack, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY file_copy`));
  lastClone = copy.catch(() => undefined); // a template is copied by one at a time
  await copy;
  return {
    databaseUrl: urlOf(stack, name),
    drop: () => asAdmin(stack, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

export interface TestApi {
  readonly url: string;
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  /** Where Storage keeps its files. */
  readonly storageDir: string;
  stop(): Promise<void>;
}

/** Supabase's API in this process on such a database, with a storage folder of its own. */
export async function startApi(databaseUrl: string): Promise<TestApi> {
  const storageDir = await mkdtemp(join(tmpdir(), 'intake-storage-'));
  const keys = { serviceRoleKey: `sb_secret_${randomUUID()}`, anonKey: `sb_publishable_${randomUUID()}` };
  const api = await startSupabaseApi({ databaseUrl, ...keys, jwtSecret: randomUUID(), storageDir, port: 0 });
  const stop = async (): Promise<void> => {
    await api.stop();
    await rm(storageDir, { recursive: true, force: true });
  };
  return { url: api.url, ...keys, storageDir, stop };
}

/** For mocha's global teardown: stops what was started, by pid, and removes its files. */
export async function stopSharedStack(): Promise<void> {
  const stack = await shared?.catch(() => undefined);
  if (!stack) return;
  await stopStack(stack.dir);
  await rm(stack.dir, { recursive: true, force: true });
}

async function createTemplate(stack: Stack): Promise<void> {
  // Its processes may be killed, the machine goes on: nothing has to reach the disk.
  for (const setting of ['fsync', 'full_page_writes']) await asAdmin(stack, `ALTER SYSTEM SET ${setting} = off`);
  await asAdmin(stack, 'SELECT pg_reload_conf()');
  await asAdmin(stack, `CREATE DATABASE ${TEMPLATE}`);
  await setUpDatabase(urlOf(stack, TEMPLATE));
}

function urlOf(stack: Stack, database: string): string {
  const url = new URL(stack.adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function asAdmin(stack: Stack, statement: string): Promise<void> {
  const sql = postgres(stack.adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
