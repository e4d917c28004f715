/** Watching the stack while a command waits for it: what cannot go on by itself is said with its cause, nothing is waited for in silence. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { IntakeError } from '../errors.ts';
import { explain, fullDisk } from './diagnosis.ts';
import { markLogs } from './logs.ts';
import { postgresState } from './ports.ts';
import { isAlive } from './processes.ts';
import { CHILDREN, readSettings, readSupervisor } from './state.ts';
import type { ChildName, SupervisorState } from './state.ts';
import { recoveryTeller } from './start.ts';

const LOOK_MS = 1_000;
/** A part that ended this often in a row, each time soon after its start, does not come up by itself; one that somebody kills now and then does. */
const HOPELESS = 5;
/** So many of these ends are seen: one whole life of it stands in its log since the watch began. */
const SEEN = 2;
/** A disk that was full for so many looks; a shorter moment passes by itself. */
const FULL_LOOKS = 5;
/** A server that takes no connections for so many looks recovers. */
const STARTING_LOOKS = 3;

/** A worker that was started asks for work within so long, on a busy machine, too. */
const COMES_UP_MS = 60_000;

/** Whether the worker of a stack was started a moment ago: nobody asks for its tasks yet, and nobody has to start one. */
export function workerComesUp(dir: string): boolean {
  const { mtimeMs = 0 } = statSync(join(dir, 'supervisor.json'), { throwIfNoEntry: false }) ?? {};
  const worker = readSupervisor(dir)?.children.worker;
  // The file is written at every start and end of a part.
  return readSettings(dir)?.worker === true && (worker?.failing ?? 0) < SEEN && Date.now() - mtimeMs < COMES_UP_MS;
}

export interface StackWatch {
  /** Rejects once the stack cannot go on by itself; never resolves. */
  readonly failed: Promise<never>;
  stop(): void;
}

/** @param without parts that the command does not need. */
export function watchStack(
  dir: string,
  onStep: (line: string) => void,
  { without = [] }: { readonly without?: readonly ChildName[] } = {},
): StackWatch {
  const marks = markLogs(dir);
  const former = readSupervisor(dir);
  const tellRecovery = recoveryTeller(dir, onStep);
  let [full, starting, toldStopped, looking] = [0, 0, false, false];
  let fail: (error: IntakeError) => void;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined); // heard by who waits
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look()
      .then((error) => error && fail(error))
      .finally(() => (looking = false));
  }, LOOK_MS);
  timer.unref();
  return { failed, stop: () => clearInterval(timer) };

  async function look(): Promise<IntakeError | undefined> {
    const state = readSupervisor(dir);
    const port = readSettings(dir)?.ports.postgres;
    const database = port === undefined ? 'down' : await postgresState(port);
    starting = database === 'starting' ? starting + 1 : 0;
    if (starting >= STARTING_LOOKS) tellRecovery();
    const hopeless = CHILDREN.find((name) => !without.includes(name) && isHopeless(name, state, former));
    // The others end for want of a database while it recovers.
    if (hopeless && database === 'starting' && hopeless !== 'temporal') return undefined;
    if (hopeless) return explain(dir, hopeless, marks, `${hopeless} keeps ending`);
    const disk = fullDisk(dir);
    full = disk ? full + 1 : 0;
    if (full >= FULL_LOOKS) return disk;
    if (!state || !isAlive(state.supervisor)) {
      if (!toldStopped) onStep('The stack was stopped meanwhile; what waits for it goes on after: intake up');
      toldStopped = true;
      return undefined;
    }
    toldStopped = false;
    return undefined;
  }
}

function isHopeless(name: ChildName, state: SupervisorState | undefined, former: SupervisorState | undefined): boolean {
  const child = state?.children[name];
  if (!child || (child.failing ?? 0) < HOPELESS) return false;
  const before = former?.supervisor.started === state?.supervisor.started ? former?.children[name]?.exits : undefined;
  return child.exits - (before ?? 0) >= SEEN;
}
