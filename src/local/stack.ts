/** The embedded stack: brought up, found, repaired and stopped by any command, in any number of processes at once. */
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { IntakeError } from '../errors.ts';
import { databaseUrlOf, gatewayUrlOf, supabaseUrlOf } from './environment.ts';
import { withLock } from './lock.ts';
import { USUAL_PORTS, answers, choosePorts, postgresAccepts } from './ports.ts';
import type { Ports } from './ports.ts';
import { initializeCluster, resetPassword } from './postgres.ts';
import { placePostgres } from './postgresPlace.ts';
import { isAlive } from './processes.ts';
import { awaitStack, spawnSupervisor, stopProcesses } from './start.ts';
import {
  CHILDREN,
  LATE_CHILDREN,
  logFile,
  makeStackDirectory,
  newSecrets,
  readSettings,
  readSupervisor,
  writeSettings,
} from './state.ts';
import type { ChildName, StackSettings, SupervisorState } from './state.ts';
import { findTemporalCli } from './temporalCli.ts';

const LOCK_TIMEOUT_MS = 180_000;
/** How long a living supervisor may take to mend its children before the stack is started anew. */
const REPAIR_MS = 20_000;
const START_MS = 60_000;

export interface Stack {
  readonly dir: string;
  /** host:port of the gRPC service. */
  readonly temporal: string;
  readonly temporalUi: string;
  readonly databaseUrl: string;
  readonly supabaseUrl: string;
  /** Also the dashboard's; undefined when the stack runs none. */
  readonly gateway: string | undefined;
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  readonly objectsDir: string;
  readonly logs: Readonly<Record<ChildName | 'supervisor', string>>;
  readonly pids: Readonly<Partial<Record<ChildName | 'supervisor', number>>>;
}

export interface StackOptions {
  readonly dir: string;
  /** Wanted ports; taken ones are replaced by free ones, 0 is any free one. They count when the stack is started. */
  readonly ports?: Partial<Ports>;
  /** Whether the stack runs worker and gateway (default) or leaves that to somebody else. Counts when the stack is started. */
  readonly worker?: boolean;
  /** Receives one line for each thing that takes long. */
  readonly onStep?: (line: string) => void;
}

/**
 * The running stack of a directory, started or repaired when it is not whole.
 * @throws IntakeError STACK_FAILED naming the part and its log.
 */
export async function ensureStack(options: StackOptions): Promise<Stack> {
  const dir = resolve(options.dir);
  const running = await readStack(dir);
  if (running) return running;
  makeStackDirectory(dir);
  return withLock(join(dir, 'lock'), LOCK_TIMEOUT_MS, () => bringUp(realpathSync(dir), options));
}

/** The stack when all of it is alive and answers, else undefined. Takes a few milliseconds. */
export async function readStack(dir: string): Promise<Stack | undefined> {
  if (!existsSync(dir)) return undefined;
  const found = realpathSync(dir);
  const settings = readSettings(found);
  const state = readSupervisor(found);
  if (!settings || !state || !isAlive(state.supervisor)) return undefined;
  if (CHILDREN.some((name) => !LATE_CHILDREN.includes(name) && !isAlive(state.children[name]?.process)))
    return undefined;
  const { temporal, ui, postgres, api } = settings.ports;
  const up = await Promise.all([answers(temporal), answers(ui), postgresAccepts(postgres), answers(api)]);
  return up.every(Boolean) ? describe(found, settings, state) : undefined;
}

/** Stops all processes of the stack; its data stays. A stack that is down is fine. */
export async function stopStack(dir: string): Promise<void> {
  if (!existsSync(dir)) return;
  const found = realpathSync(dir);
  await withLock(join(found, 'lock'), LOCK_TIMEOUT_MS, () => stopProcesses(found));
}

async function bringUp(dir: string, options: StackOptions): Promise<Stack> {
  const { onStep = () => undefined } = options;
  const already = await readStack(dir); // somebody else was first
  if (already) return already;
  const state = readSupervisor(dir);
  if (state && isAlive(state.supervisor) && (await awaitStack(dir, state.supervisor, REPAIR_MS)) === undefined) {
    const repaired = await readStack(dir);
    if (repaired) return repaired;
  }
  let problem: string | undefined;
  // A second attempt takes other ports: somebody may have taken one between our choice and its use.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await stopProcesses(dir);
    rmSync(join(dir, 'supervisor.json'), { force: true });
    const settings = await prepare(dir, options);
    onStep('Starting Temporal, PostgreSQL and the Supabase API');
    const supervisor = spawnSupervisor(dir);
    problem = await awaitStack(dir, supervisor, START_MS);
    if (problem === undefined) {
      const stack = await readStack(dir);
      return stack ?? describe(dir, settings, readSupervisor(dir));
    }
  }
  await stopProcesses(dir);
  throw new IntakeError('STACK_FAILED', problem ?? 'The stack did not come up');
}

/** Everything that must be there before the supervisor starts: programs, cluster, ports, secrets. */
async function prepare(dir: string, options: StackOptions): Promise<StackSettings> {
  const { onStep = () => undefined } = options;
  const former = readSettings(dir);
  const secrets = former ?? newSecrets();
  const downloading = findTemporalCli(dir, onStep);
  downloading.catch(() => undefined); // awaited below
  const postgres = placePostgres(dir);
  if (!existsSync(join(postgres.dataDir, 'PG_VERSION'))) {
    onStep('Creating the database');
    initializeCluster(dir, postgres, secrets.postgresPassword);
  } else if (!former) {
    resetPassword(postgres, secrets.postgresPassword);
  }
  const { postgresPassword, serviceRoleKey, anonKey, jwtSecret } = secrets;
  const settings: StackSettings = {
    ports: await choosePorts({ ...USUAL_PORTS, ...former?.ports, ...options.ports }),
    ...{ postgresPassword, serviceRoleKey, anonKey, jwtSecret, postgres },
    worker: options.worker ?? true,
    temporalCli: await downloading,
  };
  writeSettings(dir, settings);
  return settings;
}

function describe(dir: string, settings: StackSettings, state: SupervisorState | undefined): Stack {
  const names = [...CHILDREN, 'supervisor'] as const;
  const pids = Object.fromEntries(
    CHILDREN.flatMap((name) => {
      const pid = state?.children[name]?.process?.pid;
      return pid === undefined ? [] : [[name, pid]];
    }),
  );
  return {
    dir,
    temporal: `127.0.0.1:${settings.ports.temporal}`,
    temporalUi: `http://127.0.0.1:${settings.ports.ui}`,
    databaseUrl: databaseUrlOf(settings),
    supabaseUrl: supabaseUrlOf(settings),
    gateway: settings.worker && settings.ports.gateway ? gatewayUrlOf(settings) : undefined,
    serviceRoleKey: settings.serviceRoleKey,
    anonKey: settings.anonKey,
    objectsDir: join(dir, 'objects'),
    logs: Object.fromEntries(names.map((name) => [name, logFile(dir, name)])) as Stack['logs'],
    pids: { ...pids, ...(state && { supervisor: state.supervisor.pid }) },
  };
}
