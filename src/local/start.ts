/** Starting the supervisor, waiting until what it runs is up, and ending every process that is the stack's. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { IntakeError } from '../errors.ts';
import { answers, postgresAccepts } from './ports.ts';
import { ended, findProcesses, identify, isAlive, signal } from './processes.ts';
import type { FoundProcess, ProcessId } from './processes.ts';
import { CHILDREN, LATE_CHILDREN, logFile, readSettings, readSupervisor, stackTag } from './state.ts';
import { temporalDatabase } from './temporal.ts';

/** A part that ended this often while the stack starts will not come up. */
const HOPELESS_EXITS = 3;
const LARGE_LOG = 10 * 1024 * 1024;
const GRACE_MS = 30_000;
const ORPHAN_GRACE_MS = 5_000;

/** Starts the supervisor in a session of its own: it lives on when this process or its terminal ends. */
export function spawnSupervisor(dir: string): ProcessId {
  for (const name of [...CHILDREN, 'supervisor'] as const) rotate(logFile(dir, name));
  const log = openSync(logFile(dir, 'supervisor'), 'a', 0o600);
  const script = fileURLToPath(import.meta.resolve(`./supervisor${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`));
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dir, 'cache') };
  const args = ['--max-old-space-size=64', script, '--dir', dir, stackTag(dir)];
  const child = spawn(process.execPath, args, { detached: true, cwd: '/', env, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', () => undefined); // identify() below misses it
  child.unref();
  const started = child.pid === undefined ? undefined : identify(child.pid);
  if (!started) throw new IntakeError('STACK_FAILED', `The supervisor did not start: ${logFile(dir, 'supervisor')}`);
  return started;
}

/** Waits until everything answers. @returns undefined, or what is wrong in one line that names a log. */
export async function awaitStack(dir: string, supervisor: ProcessId, timeoutMs: number): Promise<string | undefined> {
  const deadline = Date.now() + timeoutMs;
  const before = readSupervisor(dir)?.children;
  while (Date.now() < deadline) {
    if (!isAlive(supervisor)) return `The supervisor ended: ${lastLine(logFile(dir, 'supervisor'))}`;
    const ports = readSettings(dir)?.ports;
    const children = readSupervisor(dir)?.children;
    const hopeless = CHILDREN.find((name) => {
      return (
        !LATE_CHILDREN.includes(name) && (children?.[name]?.exits ?? 0) - (before?.[name]?.exits ?? 0) >= HOPELESS_EXITS
      );
    });
    if (hopeless) return `${hopeless} keeps ending: ${lastLine(logFile(dir, hopeless))} (${logFile(dir, hopeless)})`;
    const databaseUp = ports !== undefined && (await postgresAccepts(ports.postgres)) && (await answers(ports.api));
    if (databaseUp && (await temporalServes(ports.ui))) return undefined;
    await sleep(25);
  }
  return `The stack did not come up in ${timeoutMs / 1000} s: ${join(dir, 'logs')}`;
}

/** Ends the supervisor, which ends the others in order, then whatever a killed supervisor left. */
export async function stopProcesses(dir: string): Promise<void> {
  const tag = stackTag(dir);
  const store = `--db-filename ${temporalDatabase(dir)} `;
  const ours = (line: string): boolean => line.includes(tag) || (line.includes('start-dev') && line.includes(store));
  const isSupervisor = ({ commandLine }: FoundProcess): boolean => /supervisor\.[tj]s --dir /.test(commandLine);
  const supervisors = findProcesses(ours).filter(isSupervisor);
  for (const supervisor of supervisors) signal(supervisor, 'SIGTERM');
  if (!(await ended(supervisors, GRACE_MS))) for (const supervisor of supervisors) signal(supervisor, 'SIGKILL');

  const orphans = findProcesses(ours);
  // A postmaster takes SIGINT as "end the sessions"; SIGTERM would wait for them.
  for (const orphan of orphans) signal(orphan, /postgres -D /.test(orphan.commandLine) ? 'SIGINT' : 'SIGTERM');
  if (await ended(orphans, ORPHAN_GRACE_MS)) return;
  for (const orphan of orphans) signal(orphan, 'SIGKILL');
  if (!(await ended(orphans, ORPHAN_GRACE_MS))) {
    const left = orphans.filter(isAlive).map(({ pid }) => pid);
    throw new IntakeError('STACK_FAILED', `Processes of the stack do not end: ${left.join(', ')}`);
  }
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

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)?.slice(0, 300) ?? '';
  } catch {
    return 'no log';
  }
}

function rotate(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGE_LOG) renameSync(path, `${path}.1`);
}
