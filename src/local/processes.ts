/** Processes by identity: a pid alone may be someone else's after a crash or a reboot. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessId {
  readonly pid: number;
  /** When it started, in the terms of this boot; equal only for the same process. */
  readonly started: string;
}

const onLinux = process.platform === 'linux';
const bootId = onLinux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';
let machine: Machine | undefined;

/** Where pids mean something: one boot of one kernel, and one of its namespaces, as each container has its own. */
export interface Machine {
  readonly host: string;
  readonly boot: string;
  readonly namespace: string;
}

export function thisMachine(): Machine {
  machine ??= onLinux
    ? { host: hostname(), boot: bootId, namespace: readlinkSync('/proc/self/ns/pid') }
    : { host: hostname(), boot: run('sysctl', '-n', 'kern.bootsessionuuid').trim(), namespace: '' };
  return machine;
}

/** The process that has this pid now; undefined when there is none or only a zombie. */
export function identify(pid: number): ProcessId | undefined {
  try {
    if (!onLinux) {
      const [state, ...started] = ps('-p', String(pid), '-o', 'stat=,lstart=').trim().split(/\s+/);
      return !state || state.startsWith('Z') ? undefined : { pid, started: started.join(' ') };
    }
    // The command name (field 2) may hold spaces and parentheses; the fields after it may not.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, started: `${bootId}/${fields[19]}` };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process is still there. */
export function isAlive(process: ProcessId | undefined): boolean {
  return process !== undefined && identify(process.pid)?.started === process.started;
}

export interface FoundProcess extends ProcessId {
  /** Arguments separated by single spaces. */
  readonly commandLine: string;
}

/** Command line of a pid, arguments separated by spaces; empty when there is no such process. */
export function commandLineOf(pid: number): string {
  try {
    if (!onLinux) return ps('-p', String(pid), '-ww', '-o', 'command=').trim();
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** All processes but this one whose command line matches. */
export function findProcesses(matches: (commandLine: string, pid: number) => boolean): FoundProcess[] {
  const pids = onLinux
    ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    : ps('-axo', 'pid=').trim().split(/\s+/);
  return pids.flatMap((name) => {
    const pid = Number(name);
    const commandLine = pid === process.pid ? '' : commandLineOf(pid);
    if (commandLine === '' || !matches(commandLine, pid)) return [];
    const found = identify(pid);
    return found ? [{ ...found, commandLine }] : [];
  });
}

/** Sends a signal to exactly this process; one that is gone is fine. @returns whether this user may do that. */
export function signal(target: ProcessId, name: NodeJS.Signals): boolean {
  if (!isAlive(target)) return true;
  try {
    process.kill(target.pid, name);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    return code === 'ESRCH';
  }
}

/** Resolves to true as soon as none of the processes is left, to false after `ms`. */
export async function ended(targets: readonly ProcessId[], ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (targets.some(isAlive)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

const ps = (...args: string[]): string => run('ps', ...args);

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 16 * 1024 * 1024,
  });
}
