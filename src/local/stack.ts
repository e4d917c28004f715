/**
 * local/: The embedded stack: Temporal, PostgreSQL, the API of Supabase, and who supervises them.
 *
 * The embedded stack: brought up, found, repaired and stopped by any command, in any number of processes at once.
 */
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { IntakeError } from '../errors.ts';
import { adminUrlOf, databaseUrlOf, gatewayUrlOf, supabaseUrlOf } from './environment.ts';
import { scarceRoom, surroundings } from './diagnosis.ts';
import { takeHold } from './hold.ts';
import { withLock } from './lock.ts';
import { markLogs } from './logs.ts';
import { USUAL_PORTS, answers, choosePorts, postgresState } from './ports.ts';
import type { Ports } from './ports.ts';
import { assertNotServed, clearStalePid, initializeCluster, resetPassword } from './postgres.ts';
import { placePostgres } from './postgresPlace.ts';
import { refusePath } from './paths.ts';
import { commandLineOf, isAlive } from './processes.ts';
import { compareReleases, nameOf, ownRelease } from './release.ts';
import type { Release } from './release.ts';
import { awaitRecovery, awaitStack, spawnSupervisor } from './start.ts';
import { stopProcesses } from './stop.ts';
import {
  CHILDREN,
  LATE_CHILDREN,
  logFile,
  makeStackDirectory,
  newSecrets,
  readSettings,
  readSupervisor,
  stackTag,
  writeSettings,
} from './state.ts';
import type { ChildName, Secrets, StackSettings, SupervisorState } from './state.ts';
import { findTemporalCli } from './temporalCli.ts';

const LOCK_TIMEOUT_MS = 180_000;
/** A supervisor that ends lets go a moment later. */
const HOLD_MS = 3_000;
/** How long a living supervisor may take to mend its children before the stack is started anew. */
const REPAIR_MS = 20_000;
const START_MS = 60_000;

export interface Stack {
  readonly dir: string;
  /** host:port of the gRPC service. */
  readonly temporal: string;
  readonly temporalUi: string;
  readonly databaseUrl: string;
  /** The same as superuser: nothing but the start of the stack needs it. */
  readonly adminUrl: string;
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
 * The running stack of a directory, started or repaired when it is not whole, started anew when it is of an older version.
 * @throws IntakeError STACK_FAILED naming the part and its log, who has the data open, or the version they need.
 */
export async function ensureStack(options: StackOptions): Promise<Stack> {
  const { onStep = () => undefined } = options;
  const dir = resolve(options.dir);
  const running = await readStack(dir);
  if (running) return running;
  refusePath(dir);
  makeStackDirectory(dir);
  return lockedStack(realpathSync(dir), onStep, () => bringUp(realpathSync(dir), { ...options, onStep }));
}

/** The stack when all of it is alive, answers and is of this version, else undefined. Takes a few milliseconds. */
export async function readStack(dir: string): Promise<Stack | undefined> {
  if (!existsSync(dir)) return undefined;
  const found = realpathSync(dir);
  const settings = readSettings(found);
  const state = readSupervisor(found);
  // A folder that was moved or copied while its stack was up has the words of another path's.
  if (!settings || !state || state.folder?.path !== found || !isAlive(state.supervisor)) return undefined;
  if (compareReleases(state, ownRelease()) !== 0) return undefined;
  if (CHILDREN.some((name) => !LATE_CHILDREN.includes(name) && !isAlive(state.children[name]?.process)))
    return undefined;
  const { temporal, ui, postgres, api } = settings.ports;
  const up = await Promise.all([answers(temporal), answers(ui), answers(api)]);
  return up.every(Boolean) && (await postgresState(postgres)) === 'accepts'
    ? describe(found, settings, state)
    : undefined;
}

/**
 * Stops all processes of the stack; its data stays. A stack that is down is fine.
 * @throws IntakeError STACK_FAILED naming what it could not stop.
 */
export async function stopStack(dir: string, onStep: (line: string) => void = () => undefined): Promise<void> {
  if (!existsSync(dir)) {
    // Its processes may still run, on nothing.
    const parent = dirname(resolve(dir));
    return existsSync(parent) ? stopProcesses(join(realpathSync(parent), basename(dir)), onStep) : undefined;
  }
  const found = realpathSync(dir);
  await lockedStack(found, onStep, async () => {
    await awaitRecovery(found, onStep);
    await stopProcesses(found, onStep);
    // What this machine or this namespace does not see may still have it.
    if (readSupervisor(found)) (await takeHold(found, HOLD_MS)).release();
  });
}

/** One process at a time starts or stops a stack; who waits goes on waiting while its database recovers. */
export const lockedStack = <T>(dir: string, onStep: (line: string) => void, work: () => Promise<T>): Promise<T> =>
  withLock(
    join(dir, 'lock'),
    LOCK_TIMEOUT_MS,
    {
      goOn: () => awaitRecovery(dir, onStep),
      onWait: () => onStep(`Another command starts or stops the stack in ${dir}: waiting for it`),
    },
    work,
  );

async function bringUp(dir: string, options: StackOptions & Required<Pick<StackOptions, 'onStep'>>): Promise<Stack> {
  const { onStep } = options;
  const already = await readStack(dir); // somebody else was first
  if (already) return already;
  const state = readSupervisor(dir);
  refuseNewer(dir, readSettings(dir));
  if (state && isAlive(state.supervisor) && isOfFolder(state, dir)) {
    if (compareReleases(state, ownRelease()) < 0) {
      onStep(`Restarting the stack: Intake ${nameOf(state)} becomes ${nameOf(ownRelease())}; imports go on afterwards`);
    } else {
      await awaitStack(dir, { supervisor: state.supervisor, marks: markLogs(dir) }, REPAIR_MS, onStep);
      const repaired = await readStack(dir);
      if (repaired) return repaired;
    }
  }
  let problem: IntakeError | undefined;
  // A second attempt takes other ports: somebody may have taken one between our choice and its use.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await awaitRecovery(dir, onStep);
    await stopProcesses(dir, onStep);
    const settings = await prepare(dir, options);
    onStep('Starting Temporal, PostgreSQL and the Supabase API');
    const started = spawnSupervisor(dir);
    problem = await awaitStack(dir, started, START_MS, onStep);
    if (problem === undefined) {
      const stack = await readStack(dir);
      return stack ?? describe(dir, settings, readSupervisor(dir));
    }
  }
  await awaitRecovery(dir, onStep);
  await stopProcesses(dir, onStep);
  throw problem ?? new IntakeError('STACK_FAILED', 'The stack did not come up');
}

/** What an older version wrote names no folder; its supervisor does. */
const isOfFolder = ({ folder, supervisor }: SupervisorState, dir: string): boolean =>
  folder ? folder.path === dir : commandLineOf(supervisor.pid).endsWith(` --dir ${dir} ${stackTag(dir)}`);

/** Older code neither knows newer tables nor replays newer workflows. */
function refuseNewer(dir: string, data: Partial<Release> | undefined): void {
  const own = ownRelease();
  if (!data?.version || compareReleases(data, own) <= 0) return;
  throw new IntakeError('STACK_FAILED', `The data in ${dir} are of Intake ${nameOf(data)}; this is ${nameOf(own)}`, {
    remedy: `Use Intake ${data.version} or newer here (\`git pull\`), or another folder: --dir.`,
  });
}

/** Everything that must be there before the supervisor starts: programs, cluster, ports, secrets. Holds the folder meanwhile. */
async function prepare(
  dir: string,
  { onStep, ...options }: StackOptions & Required<Pick<StackOptions, 'onStep'>>,
): Promise<StackSettings> {
  const held = await takeHold(dir, HOLD_MS);
  try {
    rmSync(join(dir, 'supervisor.json'), { force: true });
    const scarce = scarceRoom(dir);
    if (scarce) onStep(scarce);
    const former = readSettings(dir);
    // One of an earlier version has no owner yet.
    const secrets: Secrets = { ...newSecrets(), ...former };
    const downloading = findTemporalCli(dir, onStep);
    downloading.catch(() => undefined); // awaited below
    const postgres = await placePostgres(dir, onStep);
    if (!existsSync(join(postgres.dataDir, 'PG_VERSION'))) {
      onStep('Creating the database');
      initializeCluster(dir, postgres, secrets.postgresPassword);
    } else {
      await assertNotServed(postgres, secrets.postgresPassword);
      if (!former) {
        clearStalePid(postgres);
        resetPassword(postgres, secrets.postgresPassword);
      }
    }
    const { postgresPassword, ownerPassword, serviceRoleKey, anonKey, jwtSecret } = secrets;
    const settings: StackSettings = {
      ...ownRelease(),
      ports: await choosePorts({ ...USUAL_PORTS, ...former?.ports, ...options.ports }, onStep),
      ...{ postgresPassword, ownerPassword, serviceRoleKey, anonKey, jwtSecret, postgres },
      worker: options.worker ?? true,
      temporalCli: await downloading,
    };
    writeSettings(dir, settings);
    return settings;
  } catch (error) {
    throw (error instanceof IntakeError && error.code === 'STACK_FAILED' ? undefined : surroundings(dir)) ?? error;
  } finally {
    held.release();
  }
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
    adminUrl: adminUrlOf(settings),
    supabaseUrl: supabaseUrlOf(settings),
    gateway: settings.worker && settings.ports.gateway ? gatewayUrlOf(settings) : undefined,
    serviceRoleKey: settings.serviceRoleKey,
    anonKey: settings.anonKey,
    objectsDir: join(dir, 'objects'),
    logs: Object.fromEntries(names.map((name) => [name, logFile(dir, name)])) as Stack['logs'],
    pids: { ...pids, ...(state && { supervisor: state.supervisor.pid }) },
  };
}
