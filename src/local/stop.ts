/** Ending every process that is the stack's, and nobody else's. */
import { IntakeError } from '../errors.ts';
import { CHECKPOINT_MS } from './postgres.ts';
import { ended, findProcesses, isAlive, signal, thisMachine } from './processes.ts';
import type { FoundProcess, ProcessId } from './processes.ts';
import { CHILDREN, folderAt, isSameFolder, readSupervisor, stackTag } from './state.ts';
import type { SupervisorState } from './state.ts';
import { temporalDatabase } from './temporal.ts';

/** The supervisor waits for its children, of which PostgreSQL may take longest. */
const GRACE_MS = CHECKPOINT_MS + 30_000;
const ORPHAN_GRACE_MS = 5_000;
const PATIENCE_MS = 5_000;

/**
 * Ends the supervisor, which ends the others in order, then whatever a killed supervisor left.
 * @throws IntakeError STACK_FAILED naming what cannot be ended.
 */
export async function stopProcesses(dir: string, onStep: (line: string) => void = () => undefined): Promise<void> {
  const state = stateOf(dir);
  const supervisors = stackProcesses(dir, state).filter(({ commandLine }) => SUPERVISOR.test(commandLine));
  signalAll(supervisors, 'SIGTERM');
  if (!(await ended(supervisors, PATIENCE_MS))) {
    onStep('Waiting for PostgreSQL to write what it holds in memory');
    if (!(await ended(supervisors, GRACE_MS))) signalAll(supervisors, 'SIGKILL');
  }
  const orphans = stackProcesses(dir, state);
  // A postmaster takes SIGINT as "end the sessions"; SIGTERM would wait for them.
  const servers = orphans.filter(({ commandLine }) => POSTMASTER.test(commandLine));
  signalAll(servers, 'SIGINT');
  const others = orphans.filter((orphan) => !servers.includes(orphan));
  signalAll(others, 'SIGTERM');
  if (!(await ended(others, ORPHAN_GRACE_MS))) signalAll(others, 'SIGKILL');
  if (!(await ended(servers, CHECKPOINT_MS))) signalAll(servers, 'SIGKILL');
  if (!(await ended(orphans, ORPHAN_GRACE_MS))) throw notEnded(orphans.filter(isAlive), 'do not end');
}

/** The server of the stack, as long as it runs. */
export const findPostmaster = (dir: string): ProcessId | undefined =>
  stackProcesses(dir, stateOf(dir)).find(({ commandLine }) => POSTMASTER.test(commandLine));

const SUPERVISOR = /\/supervisor\.[tj]s --dir /;
const POSTMASTER = /(?:^|\/)postgres -D /;

/** What the supervisor wrote about this folder, also when it was moved since; what was copied with a folder is another's. */
function stateOf(dir: string): SupervisorState | undefined {
  const state = readSupervisor(dir);
  if (!state?.folder || state.machine?.namespace !== thisMachine().namespace) return undefined;
  return state.folder.path === dir || isSameFolder(state.folder, folderAt(dir)) ? state : undefined;
}

/** By their command lines, which carry the folder's tag; and those that the supervisor wrote down, for a folder that was moved. */
function stackProcesses(dir: string, state: SupervisorState | undefined): FoundProcess[] {
  const former = state?.folder?.path;
  const dirs = former === undefined || folderAt(former) ? [dir] : [dir, former];
  const named = state ? [state.supervisor, ...CHILDREN.map((name) => state.children[name]?.process)] : [];
  const alive = new Set(named.filter(isAlive).map((one) => one?.pid));
  return findProcesses((line, pid) => alive.has(pid) || dirs.some((path) => isOf(path, line)));
}

/** Whether a program of ours runs for the folder: whole arguments count, so that who only names it is left alone. */
function isOf(dir: string, line: string): boolean {
  const tag = stackTag(dir);
  return (
    (/\/(?:supervisor|api|worker|program)\.[tj]s --dir /.test(line) && line.endsWith(` --dir ${dir} ${tag}`)) ||
    (POSTMASTER.test(line) && line.includes(` -c cluster_name=${tag} `)) ||
    line.startsWith(`postgres: ${tag}: `) ||
    (line.includes(' server start-dev ') && line.includes(` --db-filename ${temporalDatabase(dir)} `))
  );
}

function signalAll(targets: readonly FoundProcess[], name: NodeJS.Signals): void {
  const refused = targets.filter((target) => !signal(target, name));
  if (refused.length > 0) throw notEnded(refused, 'belong to another user', 'Stop them as that user: intake down.');
}

function notEnded(
  left: readonly FoundProcess[],
  why: string,
  remedy = 'End them by hand, then try again.',
): IntakeError {
  const names = left.map(({ pid, commandLine }) => `${pid} (${commandLine.slice(0, 60)})`);
  return new IntakeError('STACK_FAILED', `Processes of the stack ${why}: ${names.join(', ')}`, { remedy });
}
