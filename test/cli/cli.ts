/** The CLI as a process against an embedded stack with its worker, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { ensureStack, stopStack, type Stack } from '../../src/local/stack.ts';
import { ANY_PORTS, makeStackFolder } from '../support/stack.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/intake.mjs', import.meta.url));
const COMMAND = fileURLToPath(new URL('../../bin/intake.cjs', import.meta.url));

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what programs print is asserted field by field
export type Json = any;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly ended: Promise<Ended>;
  interrupt(): void;
  /** Hears what it writes to stderr from now on. */
  onError(listener: (text: string) => void): void;
}

export interface Cli {
  readonly stack: Stack;
  /** Where the commands run and files are written. */
  readonly folder: string;
  start(args: readonly string[], env?: NodeJS.ProcessEnv, cwd?: string): Started;
  run(...args: string[]): Promise<Ended>;
  /** Runs with --json. */
  json(...args: string[]): Promise<{ code: number | null; document: Json }>;
  file(name: string, content: string | Buffer): Promise<string>;
  query(text: string, values?: unknown[]): Promise<Json[]>;
  stop(): Promise<void>;
}

/** The CLI in a folder, with more environment. */
export function intakeAt(folder: string, args: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...output })));
  return {
    ended,
    interrupt: () => void child.kill('SIGINT'),
    onError: (listener) => void child.stderr.on('data', listener),
  };
}

/** @param around variables that the stack and every command have in their environment. */
export async function startCli(around: NodeJS.ProcessEnv = {}): Promise<Cli> {
  const dir = await makeStackFolder();
  const before = Object.keys(around).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, around);
  const stack = await ensureStack({ dir, ports: ANY_PORTS });
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  const folder = await mkdtemp(join(tmpdir(), 'intake-cli-'));
  // As an operator who has linked the command: what is printed begins with `intake`.
  const linked = await mkdtemp(join(tmpdir(), 'intake-linked-'));
  await symlink(COMMAND, join(linked, 'intake'));
  const path = `${linked}${delimiter}${process.env['PATH']}`;
  const database = new pg.Pool({ connectionString: stack.databaseUrl, max: 2 });
  database.on('error', () => undefined); // the stack is stopped at the end
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = folder): Started =>
    intakeAt(cwd, args, { PATH: path, ...around, INTAKE_DIR: dir, ...env });
  const run = (...args: string[]) => start(args).ended;
  return {
    stack,
    folder,
    start,
    run,
    async json(...args) {
      const { code, stdout, stderr } = await run(...args, '--json');
      try {
        return { code, document: JSON.parse(stdout) };
      } catch {
        throw new Error(`no JSON document: ${stdout}${stderr}`);
      }
    },
    async file(name, content) {
      await writeFile(join(folder, name), content);
      return name;
    },
    query: async (text, values) => (await database.query(text, values)).rows,
    async stop() {
      await database.end();
      await stopStack(dir);
      for (const place of [dir, folder, linked]) await rm(place, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A file of plaintiffs that no other call makes: `tag` is part of every key. */
export function plaintiffsCsv(tag: string, rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => `${tag} Holdings ${i},office${i}@${tag}.example.com`);
  return `plaintiff_name,email\n${lines.join('\n')}\n`;
}

/** Makes an import take some seconds: many small chunks, one at a time. */
export const SLOW = { INTAKE_CHUNK_BYTES: '4096', INTAKE_WINDOW: '1' };
export const slowCsv = (tag: string, rows = 8000): string => plaintiffsCsv(tag, rows);
