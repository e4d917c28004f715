/** What the embedded stack keeps in its directory: its settings and secrets, and what its supervisor runs now. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ports } from './ports.ts';
import type { ProcessId } from './processes.ts';

export const CHILDREN = ['postgres', 'temporal', 'api', 'worker', 'gateway'] as const;
export type ChildName = (typeof CHILDREN)[number];

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
export interface StackSettings {
  readonly ports: Ports;
  readonly postgresPassword: string;
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
}

/** `supervisor.json`: written by the supervisor at every change. */
export interface SupervisorState {
  readonly supervisor: ProcessId;
  readonly children: Readonly<Partial<Record<ChildName, ChildState>>>;
}

/** Marks every process of the stack in `dir` on its command line. */
export function stackTag(dir: string): string {
  return `intake-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`;
}

export const logFile = (dir: string, name: ChildName | 'supervisor' | 'initdb'): string =>
  join(dir, 'logs', `${name}.log`);

/** Secrets of a new stack. */
export function newSecrets(): Pick<StackSettings, 'postgresPassword' | 'serviceRoleKey' | 'anonKey' | 'jwtSecret'> {
  const secret = (): string => randomBytes(24).toString('base64url');
  return {
    postgresPassword: secret(),
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

/** Creates the directory; the database's user may pass through it, only the owner looks into it. */
export function makeStackDirectory(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  for (const part of ['logs', 'objects', 'storage', 'bin', 'cache'])
    mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
}

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
