/**
 * Who has the folder of a stack. Its supervisor holds a lock of the kernel for its whole life, taken before anything starts,
 * and every program that it starts keeps the reading end of a named pipe open: so the kernel itself tells whether any of
 * them lives, also in another container, where pids say nothing. `supervisor.json` says who it is, and on which machine.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IntakeError } from '../errors.ts';
import { waitForLock } from './lock.ts';
import type { Lock } from './lock.ts';
import { thisMachine } from './processes.ts';
import type { Machine } from './processes.ts';
import { readSupervisor } from './state.ts';

const pipeOf = (dir: string): string => join(dir, 'alive');

/**
 * Takes the folder: from then on nothing else starts on its data.
 * @throws IntakeError STACK_FAILED when it is in use, or may be on a machine that cannot be seen from here.
 */
export async function takeHold(dir: string, timeoutMs: number): Promise<Lock> {
  const lock = await waitForLock(join(dir, 'held'), timeoutMs);
  if (!lock) throw inUse(dir);
  try {
    let alive = someoneLives(dir);
    // The last of them ends a moment after those that are named.
    for (const deadline = Date.now() + timeoutMs; alive && Date.now() < deadline; alive = someoneLives(dir))
      await sleep(50);
    if (alive || mayLiveElsewhere(dir, alive)) throw inUse(dir);
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Opens the pipe that says "alive" for who holds the folder; undefined where the file system knows no pipes. */
export function openAlive(dir: string): number | undefined {
  const path = pipeOf(dir);
  try {
    rmSync(path, { force: true });
    execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' });
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

export const removeAlive = (dir: string): void => rmSync(pipeOf(dir), { force: true });

/** Whether a program of the stack lives anywhere on this kernel; undefined when it left no pipe to tell. */
function someoneLives(dir: string): boolean | undefined {
  if (!existsSync(pipeOf(dir))) return undefined;
  try {
    closeSync(openSync(pipeOf(dir), constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false; // nobody reads
    throw error;
  }
}

/**
 * Whether whoever had it last may live where this kernel cannot tell: on another host; or, without a pipe, in another
 * namespace. A reboot of this host ended all there was.
 */
function mayLiveElsewhere(dir: string, alive: boolean | undefined): boolean {
  const there = readSupervisor(dir)?.machine;
  if (!there) return false;
  const here = thisMachine();
  if (there.boot !== here.boot) return there.host !== here.host;
  return alive === undefined && there.namespace !== here.namespace;
}

function inUse(dir: string): IntakeError {
  const state = readSupervisor(dir);
  const who = state ? ` by process ${state.supervisor.pid}${placeOf(state.machine)}` : ' by another process';
  return new IntakeError('STACK_FAILED', `${dir} is in use${who}`, {
    remedy: `Stop it there with \`intake down\`; when it is surely gone, delete ${join(dir, 'supervisor.json')} and ${pipeOf(dir)}.`,
  });
}

function placeOf(there: Machine | undefined): string {
  if (!there) return '';
  const here = thisMachine();
  if (there.boot !== here.boot) return ` of host ${there.host}`;
  return there.namespace === here.namespace ? ` of this host` : ` in another container of this host (${there.host})`;
}
