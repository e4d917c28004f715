/** Imports by the command line into a stack that a program of the bench has made for itself. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../bin/intake.mjs', import.meta.url));

export const ANY_PORTS = { temporal: 0, ui: 0, postgres: 0, api: 0, metrics: 0, gateway: 0 };

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
