/** Starting the supervisor, and waiting until what it runs is up. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { IntakeError } from '../errors.ts';
import { explain } from './diagnosis.ts';
import { markLogs, rotateLogs } from './logs.ts';
import type { LogMarks } from './logs.ts';
import { answers, postgresState } from './ports.ts';
import { identify, isAlive } from './processes.ts';
import type { ProcessId } from './processes.ts';
import { recoveryProgress } from './recovery.ts';
import { CHILDREN, LATE_CHILDREN, logFile, readSettings, readSupervisor, stackTag } from './state.ts';
import { findPostmaster } from './stop.ts';

/** A part that ended this often while the stack starts will not come up. */
const HOPELESS_EXITS = 3;
const TELL_MS = 5_000;

export interface Started {
  readonly supervisor: ProcessId;
  /** What the logs held before: what follows is of this start. */
  readonly marks: LogMarks;
}

/** Starts the supervisor in a session of its own: it lives on when this process or its terminal ends. */
export function spawnSupervisor(dir: string): Started {
  rotateLogs(dir);
  const marks = markLogs(dir);
  const log = openSync(logFile(dir, 'supervisor'), 'a', 0o600);
  const script = fileURLToPath(import.meta.resolve(`./supervisor${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`));
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dir, 'cache') };
  const args = ['--max-old-space-size=64', script, '--dir', dir, stackTag(dir)];
  const child = spawn(process.execPath, args, { detached: true, cwd: '/', env, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', () => undefined); // identify() below misses it
  child.unref();
  const supervisor = child.pid === undefined ? undefined : identify(child.pid);
  if (!supervisor) throw new IntakeError('STACK_FAILED', `The supervisor did not start: ${logFile(dir, 'supervisor')}`);
  return { supervisor, marks };
}

/**
 * Waits until everything answers; as long as PostgreSQL recovers from a crash without a limit.
 * @returns undefined, or what is wrong.
 */
export async function awaitStack(
  dir: string,
  { supervisor, marks }: Started,
  timeoutMs: number,
  onStep: (line: string) => void,
): Promise<IntakeError | undefined> {
  let deadline = Date.now() + timeoutMs;
  const before = readSupervisor(dir)?.children;
  const tell = recoveryTeller(dir, onStep);
  while (Date.now() < deadline) {
    if (!isAlive(supervisor)) return explain(dir, 'supervisor', marks, 'The supervisor ended');
    const ports = readSettings(dir)?.ports;
    const database = ports === undefined ? 'down' : await postgresState(ports.postgres);
    if (database === 'starting') {
      deadline = Date.now() + timeoutMs;
      tell();
    }
    const children = readSupervisor(dir)?.children;
    const hopeless = CHILDREN.find((name) => {
      if (LATE_CHILDREN.includes(name) || (name === 'api' && database !== 'accepts')) return false;
      return (children?.[name]?.exits ?? 0) - (before?.[name]?.exits ?? 0) >= HOPELESS_EXITS;
    });
    if (hopeless) return explain(dir, hopeless, marks, `${hopeless} keeps ending`);
    if (database === 'accepts' && (await answers(ports!.api)) && (await temporalServes(ports!.ui))) return undefined;
    await sleep(25);
  }
  return explain(dir, undefined, marks, `The stack did not come up in ${timeoutMs / 1000} s`);
}

/**
 * Waits while the server of the stack recovers from a crash, with whoever's supervisor: ended, it would have to begin again.
 * @returns whether it did recover.
 */
export async function awaitRecovery(dir: string, onStep: (line: string) => void): Promise<boolean> {
  const tell = recoveryTeller(dir, onStep);
  for (let waited = false; ; waited = true) {
    const port = readSettings(dir)?.ports.postgres;
    if (port === undefined || (await postgresState(port)) !== 'starting' || !findPostmaster(dir)) return waited;
    tell();
    await sleep(500);
  }
}

/** Says how far the recovery is, now and then. */
export function recoveryTeller(dir: string, onStep: (line: string) => void): () => void {
  let told = Date.now() - TELL_MS / 2; // a short one is not worth a word
  return () => {
    if (Date.now() - told < TELL_MS) return;
    told = Date.now();
    const place = readSettings(dir)?.postgres;
    if (place) onStep(recoveryProgress(place.dataDir, logFile(dir, 'postgres')));
  };
}

/** Whether the server behind Temporal UI knows the namespace: its port opens before it can take a workflow. */
async function temporalServes(uiPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${uiPort}/api/v1/namespaces/default`, {
      signal: AbortSignal.timeout(2_000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
