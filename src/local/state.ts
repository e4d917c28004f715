/** What the embedded stack keeps in its directory: its settings and secrets, and what its supervisor runs now. */
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { IntakeError } from '../errors.ts';
import type { Ports } from './ports.ts';
import type { Machine, ProcessId } from './processes.ts';
import type { Release } from './release.ts';

export const CHILDREN = ['postgres', 'temporal', 'api', 'worker', 'gateway'] as const;
export type ChildName = (typeof CHILDREN)[number];

/** The role of the embedded database that owns everything in it. */
export const OWNER = 'intake_owner';

/** Nothing waits for these: Temporal keeps the worker's tasks, and who posts to the gateway tries again. */
export const LATE_CHILDREN: readonly ChildName[] = ['worker', 'gateway'];

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresPlace {
  readonly binDir: string;
  readonly dataDir: string;
  /** The user the server runs as; undefined: the user who starts the stack. */
  readonly user?: ServerUser;
}

/** `stack.json`: chosen once and kept; secrets are why the file has mode 600. */
export interface StackSettings extends Partial<Release> {
  readonly ports: Ports;
  /** Of the superuser, who makes the owner and nothing else. */
  readonly postgresPassword: string;
  /** Of the role that owns the database. */
  readonly ownerPassword: string;
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  readonly jwtSecret: string;
  /** Whether the stack runs worker and gateway. */
  readonly worker: boolean;
  readonly postgres: PostgresPlace;
  readonly temporalCli: string;
}

export interface ChildState {
  readonly process?: ProcessId;
  /** How often it ended by itself since the supervisor started. */
  readonly exits: number;
  /** How often in a row it ended soon after its start; older versions did not count it. */
  readonly failing?: number;
}

/** A folder by identity: its path may be another's after it was moved, copied or removed. */
export interface Folder {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

/** `supervisor.json`: written by the supervisor at every change, removed at its end. Older versions knew its last two only. */
export interface SupervisorState extends Partial<Release> {
  readonly machine?: Machine;
  readonly folder?: Folder;
  readonly supervisor: ProcessId;
  readonly children: Readonly<Partial<Record<ChildName, ChildState>>>;
}

/** Marks every process of the stack in `dir` on its command line. */
export function stackTag(dir: string): string {
  return `intake-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
}

export type LogName = ChildName | 'supervisor' | 'initdb';
export const logFile = (dir: string, name: LogName): string => join(dir, 'logs', `${name}.log`);

export type Secrets = Pick<
  StackSettings,
  'postgresPassword' | 'ownerPassword' | 'serviceRoleKey' | 'anonKey' | 'jwtSecret'
>;

/** Secrets of a new stack. */
export function newSecrets(): Secrets {
  const secret = (): string => randomBytes(24).toString('base64url');
  return {
    postgresPassword: secret(),
    ownerPassword: secret(),
    serviceRoleKey: `sb_secret_${secret()}`,
    anonKey: `sb_publishable_${secret()}`,
    jwtSecret: secret(),
  };
}

export const readSettings = (dir: string): StackSettings | undefined => readJson(join(dir, 'stack.json'));
export const writeSettings = (dir: string, settings: StackSettings): void =>
  writeJson(join(dir, 'stack.json'), settings);
export const readSupervisor = (dir: string): SupervisorState | undefined => readJson(join(dir, 'supervisor.json'));
export const writeSupervisor = (dir: string, state: SupervisorState): void =>
  writeJson(join(dir, 'supervisor.json'), state);

/** The folder that has this path now; undefined when there is none. */
export function folderAt(path: string): Folder | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && { path, device: String(found.dev), inode: String(found.ino) };
}

export const isSameFolder = (one: Folder | undefined, other: Folder | undefined): boolean =>
  one !== undefined && one.device === other?.device && one.inode === other.inode;

/**
 * Creates the directory, or closes it to others as an older version left it. Under root the database's user passes through it; what lies
 * in it is the owner's alone.
 */
export function makeStackDirectory(dir: string): void {
  const own = process.getuid?.() !== 0;
  const isNew = !existsSync(dir);
  makeFolders(dir);
  assertWritable(dir);
  if (own) chmodSync(dir, 0o700);
  else if (isNew) chmodSync(dir, 0o711); // whatever the umask
  for (const part of ['logs', 'objects', 'storage', 'bin', 'cache', 'work']) {
    mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
    chmodSync(join(dir, part), 0o700);
  }
  for (const name of PRIVATE_FILES) if (existsSync(join(dir, name))) chmodSync(join(dir, name), 0o600);
}

/**
 * One after the other: Node's own recursion does not end where a file system makes no folders (/proc).
 * @throws IntakeError STACK_FAILED naming the folder that cannot be made or written to.
 */
function makeFolders(dir: string): void {
  if (!existsSync(dir) && dirname(dir) !== dir) makeFolders(dirname(dir));
  try {
    if (!existsSync(dir)) mkdirSync(dir, { mode: 0o700 });
  } catch (cause) {
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return; // somebody else was first
    throw notWritable(`The folder ${dir} cannot be made`, dirname(dir), cause);
  }
}

/** @throws IntakeError STACK_FAILED where this user may not write. */
function assertWritable(dir: string): void {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw notWritable(`The folder ${dir} cannot be used`, dir, cause);
  }
}

const notWritable = (what: string, folder: string, cause: unknown): IntakeError =>
  new IntakeError('STACK_FAILED', `${what}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)} in ${folder}`, {
    cause,
    remedy: `Give this user the right to write to ${folder}, or name another folder for the stack: --dir DIR.`,
  });

/** Of older versions, readable by all. */
const PRIVATE_FILES = ['lock', 'temporal.db', 'temporal.db-wal', 'temporal.db-shm'];

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined; // absent, or lost in a crash of the machine: made anew
  }
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}
