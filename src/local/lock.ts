/** One process at a time in a critical section; the kernel releases the lock of a process that dies. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { IntakeError } from '../errors.ts';

const SQLITE_BUSY = 5;
const SQLITE_CANTOPEN = 14;
/** A wait of this length is not worth a word. */
const SHORT_MS = 3_000;

export interface Lock {
  release(): void;
}

/**
 * Takes the lock of a file for as long as this process lives, or until it is released. SQLite's file lock serves because
 * Node has no flock: it dies with its holder, so that there is no stale lock to judge after a kill or a reboot, and it
 * keeps out every process of this kernel, whatever container or namespace it is in.
 * @returns undefined when another process has it.
 */
function tryLock(path: string): Lock | undefined {
  const database = open(path);
  try {
    // Without a journal nothing is written: a stack is stopped on a full disk, too.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw cannotLock(path, error);
  }
}

/** Tries for a while. @returns undefined when another process has it for `timeoutMs`. */
export async function waitForLock(path: string, timeoutMs: number): Promise<Lock | undefined> {
  for (const deadline = Date.now() + timeoutMs; ; await sleep(50)) {
    const lock = tryLock(path);
    if (lock || Date.now() > deadline) return lock;
  }
}

export interface Waiting {
  /** Another process has held it for `timeoutMs`: whether to wait that long again. */
  goOn(): Promise<boolean>;
  /** It is not to be had at once. */
  onWait(): void;
}

/**
 * Runs `work` while holding the lock file.
 * @throws IntakeError STACK_FAILED when it is not to be had.
 */
export async function withLock<T>(
  path: string,
  timeoutMs: number,
  { goOn, onWait }: Waiting,
  work: () => Promise<T>,
): Promise<T> {
  let lock = await waitForLock(path, SHORT_MS);
  if (!lock) onWait();
  while (!(lock ??= await waitForLock(path, timeoutMs))) {
    if (!(await goOn()))
      throw new IntakeError('STACK_FAILED', `Another process is starting the stack for long: ${path}`);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function open(path: string): DatabaseSync {
  try {
    closeSync(openSync(path, 'a', 0o600)); // SQLite would let everybody read it
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw cannotLock(path, error);
  }
}

function cannotLock(path: string, cause: unknown): IntakeError {
  const { errcode, code, syscall } = cause as NodeJS.ErrnoException & { errcode?: number };
  const why = errcode === SQLITE_CANTOPEN || syscall ? `cannot be opened (${code})` : String(cause);
  return new IntakeError('STACK_FAILED', `The lock file ${why}: ${path}`, {
    cause,
    remedy: 'Check the rights of that folder, and that its file system has room and knows file locks.',
  });
}
