/**
 * Program: `supervisor --dir DIR TAG` runs the processes of the embedded stack until SIGTERM or until its folder is gone; it
 * outlives who started it, and holds the folder for its whole life.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { SupervisedChild } from './child.ts';
import type { ChildSpec } from './child.ts';
import { environmentOf, SMALL_PROCESS } from './environment.ts';
import { openAlive, removeAlive, takeHold } from './hold.ts';
import { CHECKPOINT_MS, clearStalePid, postgresCommand } from './postgres.ts';
import { answers } from './ports.ts';
import { identify, thisMachine } from './processes.ts';
import { ownRelease } from './release.ts';
import {
  CHILDREN,
  LATE_CHILDREN,
  folderAt,
  isSameFolder,
  logFile,
  readSettings,
  readSupervisor,
  stackTag,
  writeSupervisor,
} from './state.ts';
import type { ChildName } from './state.ts';
import { temporalArguments } from './temporal.ts';
import { hiddenPlace, startUiFront } from './uiFront.ts';

const HOLD_MS = 10_000;
const LOOK_MS = 1_000;

const dir = process.argv[3] ?? '';
const settings = readSettings(dir);
const self = identify(process.pid);
const folder = folderAt(dir);
if (!settings || !self || !folder) throw new Error('usage: supervisor --dir DIR TAG, with DIR/stack.json');

const held = await takeHold(dir, HOLD_MS).catch((error: Error) => {
  console.error(`FATAL: ${error.message}`);
  process.exit(1);
});
const keepOpen = openAlive(dir);
const about = { machine: thisMachine(), folder, ...ownRelease(), supervisor: self };
const tag = stackTag(dir);
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const env = environmentOf(dir, settings);
const { postgres: place, ports } = settings;
const ui = await hiddenPlace();

/** A program of ours next to this one; the tag lets a later start recognize it. */
const program = (path: string, graceMs: number, log: string): ChildSpec => ({
  command: process.execPath,
  args: [fileURLToPath(import.meta.resolve(`${path}${extension}`)), '--dir', dir, tag],
  env,
  log,
  keepOpen,
  stopSignal: 'SIGTERM',
  graceMs,
});

const specs: Record<ChildName, ChildSpec> = {
  postgres: {
    ...postgresCommand(place, ports.postgres, tag),
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    log: logFile(dir, 'postgres'),
    user: place.user,
    keepOpen,
    stopSignal: 'SIGINT', // fast: ends sessions, writes a checkpoint
    graceMs: CHECKPOINT_MS,
    beforeStart: () => clearStalePid(place),
  },
  temporal: {
    command: settings.temporalCli,
    args: temporalArguments(dir, ports, ui),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] ?? dir },
    log: logFile(dir, 'temporal'),
    keepOpen,
    stopSignal: 'SIGTERM',
    graceMs: 5_000,
  },
  api: program('./api', 3_000, logFile(dir, 'api')),
  worker: {
    ...program('../worker', 10_000, logFile(dir, 'worker')),
    env: {
      ...env,
      ...SMALL_PROCESS,
      INTAKE_METRICS_ADDRESS: env['INTAKE_METRICS_ADDRESS'] ?? `127.0.0.1:${ports.metrics}`,
    },
  },
  gateway: program('../gateway/program', 5_000, logFile(dir, 'gateway')),
};

const children: Partial<Record<ChildName, SupervisedChild>> = {};

/** Whether the folder is still at its path, told also where a file system numbers it anew: what stands there else is another's. */
const inPlace = (): boolean =>
  isSameFolder(folder, folderAt(dir)) || readSupervisor(dir)?.supervisor.started === self.started;

function record(): void {
  const states = Object.fromEntries(Object.entries(children).map(([name, child]) => [name, child.state]));
  try {
    if (inPlace()) writeSupervisor(dir, { ...about, children: states });
  } catch (error) {
    console.error(`supervisor.json: ${String(error)}`); // a full disk must not end the stack
  }
}

function start(name: ChildName): void {
  const child = new SupervisedChild(specs[name], record);
  children[name] = child;
  child.start();
}

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const name of CHILDREN.toReversed()) await children[name]?.stop();
  if (inPlace()) {
    removeAlive(dir);
    rmSync(join(dir, 'supervisor.json'), { force: true });
  }
  held.release();
  process.exit(0);
}

/** Ends the stack when its folder was moved or removed: nobody would find it any more. */
let missed = 0;
setInterval(() => {
  missed = inPlace() ? 0 : missed + 1;
  if (missed < 2 || stopping) return;
  console.error(`The folder is no longer at its path: ${dir}`);
  void stop();
}, LOOK_MS);

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('SIGHUP', () => undefined); // a closed terminal is no reason to stop
process.on('uncaughtException', (error) => console.error(error));

start('postgres');
start('temporal');
startUiFront(ports.ui, ui);
start('api');
if (settings.worker) {
  // The API answers once the database is migrated.
  while (!(await answers(ports.api))) await sleep(100);
  for (const name of LATE_CHILDREN) if (!stopping) start(name);
}
