/** Why a part of the stack does not run: the cause from its log since this start, and a remedy that fits. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { IntakeError } from '../errors.ts';
import { causeIn } from './logs.ts';
import type { LogMarks } from './logs.ts';
import { logFile, readSettings } from './state.ts';
import type { LogName } from './state.ts';

const MB = 1024 * 1024;
/** Below this no part can work. */
const LEAST_BYTES = 16 * MB;
const LEAST_INODES = 50;
/** Below this an import of any size may fail. */
const SCARCE_BYTES = 1024 * MB;

/** What a line of a log stands for, the more special first. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /shared memory/i,
    'Give this machine more shared memory: /dev/shm of 64 MB or more (`docker run --shm-size=256m`), then try again.',
  ],
  [
    /No space left|ENOSPC|disk (?:is )?full|SQLITE_FULL/i,
    'Free disk space and file entries (inodes) there, then try again.',
  ],
  [/Address already in use|EADDRINUSE/i, 'Another program took the port meanwhile: try again.'],
  [
    /network is unreachable|cannot assign requested address|EADDRNOTAVAIL/i,
    'This machine has no loopback interface: bring it up (`ip link set lo up`), then try again.',
  ],
  [
    /out of memory|ended by SIGKILL|Cannot allocate memory|ENOMEM|Allocation failed|CodeRange|heap limit/i,
    'Give it more memory: raise the limit of this shell (`ulimit -v`) or container, then try again.',
  ],
  [/Permission denied|EACCES|EPERM|not permitted/i, 'Give this user the rights to what it names, then try again.'],
  [/is in use/, 'Stop it there, then try again.'],
];

/** One sentence about a part that does not run. @param name undefined: nothing said which part. */
export function explain(dir: string, name: LogName | undefined, marks: LogMarks, what: string): IntakeError {
  const surrounding = surroundings(dir);
  if (surrounding) return surrounding;
  if (name === undefined) return new IntakeError('STACK_FAILED', `${what}: ${join(dir, 'logs')}`);
  const log = logFile(dir, name);
  const cause = causeIn(log, marks[name]);
  return new IntakeError('STACK_FAILED', `${what}: ${cause || 'it said nothing'} (${log})`, {
    remedy: REMEDIES.find(([pattern]) => pattern.test(cause))?.[1] ?? `Look at ${log}.`,
  });
}

/** What is wrong around the stack, whatever its parts say; undefined: nothing. */
export function surroundings(dir: string): IntakeError | undefined {
  const full = fullDisk(dir);
  if (full) return full;
  const caches = [process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), homedir(), tmpdir()];
  if (!caches.some(isWritable))
    return new IntakeError(
      'STACK_FAILED',
      `Neither the home folder nor the one for temporary files can be written to: ${caches.slice(1).join(', ')}`,
      {
        remedy: 'Set HOME or TMPDIR to a folder of yours, then try again.',
      },
    );
  return undefined;
}

/** Whether a disk that the stack writes to is full; its database may lie on another one than its folder. */
export function fullDisk(dir: string): IntakeError | undefined {
  const again = 'free some, then try again; what runs goes on by itself.';
  for (const folder of new Set([dir, readSettings(dir)?.postgres.dataDir ?? dir])) {
    const { bytes, inodes } = freeIn(existsSync(folder) ? folder : dir);
    if (bytes < LEAST_BYTES)
      return new IntakeError('STACK_FAILED', `The disk is full: ${Math.floor(bytes / MB)} MB are free for ${folder}`, {
        remedy: `It needs room: ${again}`,
      });
    if (inodes < LEAST_INODES)
      return new IntakeError('STACK_FAILED', `The disk has no file entries (inodes) left: ${inodes} for ${folder}`, {
        remedy: `Many small files take them: ${again}`,
      });
  }
  return undefined;
}

/** A line for who brings up a stack where room is scarce. */
export function scarceRoom(dir: string): string | undefined {
  const { bytes } = freeIn(dir);
  return bytes < SCARCE_BYTES ? `Only ${Math.floor(bytes / MB)} MB of disk are free for ${dir}` : undefined;
}

function freeIn(dir: string): { bytes: number; inodes: number } {
  const { bavail, bsize, ffree, files } = statfsSync(dir);
  return { bytes: bavail * bsize, inodes: files === 0 ? Infinity : ffree }; // some file systems count no inodes
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return existsSync(folder);
  } catch {
    return false;
  }
}
