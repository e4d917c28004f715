/** The stacks of the bench: one that is kept from run to run, and those that its programs make for themselves and import into by the command line. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureStack, type Stack } from '../src/local/stack.ts';

const PROGRAM = fileURLToPath(new URL('../bin/intake.mjs', import.meta.url));

export const ANY_PORTS = { temporal: 0, ui: 0, postgres: 0, api: 0, metrics: 0, gateway: 0 };
/** Files, work and the stack that are kept. */
export const DATA = resolve(import.meta.dirname, '.data');

/** The stack that is kept, without a worker: each import has its own. */
export async function keptStack(onStep: (line: string) => void): Promise<Stack> {
  const dir = join(DATA, 'stack');
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o711); // the database's user passes through
  return ensureStack({ dir, ports: ANY_PORTS, worker: false, onStep });
}

interface Imported {
  readonly seconds: number;
  readonly inserted: number;
  /** Seconds by phase. */
  readonly phases: Readonly<Record<string, number>>;
}

/** Runs `intake import` with these words on the stack in `dir`. @throws Error when it does not end well. */
export async function importOf(dir: string, ...args: string[]): Promise<Imported> {
  const child = spawn(process.execPath, [PROGRAM, 'import', ...args, '--json'], {
    env: { ...process.env, INTAKE_DIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await new Promise((ended) => child.once('close', ended));
  const { status, duration_seconds, counts, phases } = JSON.parse(text);
  if (status !== 'completed' && status !== 'dry_run') throw new Error(`${args.join(' ')}: ${status}`);
  return {
    seconds: duration_seconds,
    inserted: counts.inserted,
    phases: Object.fromEntries(
      Object.entries<{ seconds: number }>(phases).map(([name, { seconds }]) => [name, seconds]),
    ),
  };
}

/** 250 people whom nobody else has. */
export async function plaintiffsFile(dir: string, tag: string): Promise<string> {
  const path = join(dir, `${tag}.csv`);
  const lines = Array.from({ length: 250 }, (_, i) => `${tag} Person ${i},${tag}${i}@new.example.com`);
  await writeFile(path, `plaintiff_name,email\n${lines.join('\n')}\n`);
  return path;
}
