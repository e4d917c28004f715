/** One process at a time in a critical section; the kernel releases the lock of a process that dies. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { IntakeError } from '../errors.ts';

const SQLITE_BUSY = 5;

/**
 * Runs `work` while holding the lock file. SQLite's file lock serves because Node has no flock: it dies with its holder,
 * so that there is no stale lock to judge after a kill or a reboot.
 * @throws IntakeError STACK_FAILED when another process holds it for `timeoutMs`.
 */
export async function withLock<T>(path: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    const deadline = Date.now() + timeoutMs;
    while (!tryLock(database)) {
      if (Date.now() > deadline)
        throw new IntakeError('STACK_FAILED', `Another process is starting the stack for long: ${path}`);
      await sleep(50);
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
