/** A worker in a process of its own, so that its memory is its own, too. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const WORKER = fileURLToPath(import.meta.resolve('../src/worker.ts'));
const START_MS = 60_000;
/** Within it a throttled worker runs and stands. */
const PERIOD_MS = 50;

export interface WorkerProcess {
  /** The most memory it held at a time; undefined where the system has no /proc. */
  peakMb(): number | undefined;
  /** Lets it run only for this share of the time from now on, so that the database has more than its clients. */
  throttle(share: number): void;
  stop(): Promise<void>;
}

/** Starts a worker and waits until it polls. `BENCH_WORKER_FLAGS` are flags for its Node, such as `--cpu-prof`. */
export async function startWorkerProcess(env: NodeJS.ProcessEnv, logDir: string): Promise<WorkerProcess> {
  const log = join(logDir, 'worker.log');
  const output = openSync(log, 'w', 0o600);
  const flags = (process.env['BENCH_WORKER_FLAGS'] ?? '').split(' ').filter(Boolean);
  const child = spawn(process.execPath, [...flags, WORKER], { env, cwd: logDir, stdio: ['ignore', output, output] });
  closeSync(output);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const deadline = Date.now() + START_MS;
  while (!readFileSync(log, 'utf8').includes('worker started')) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`The worker did not start: ${log}`);
    await sleep(50);
  }
  let timers: NodeJS.Timeout[] = [];
  return {
    peakMb: () => peakOf(child.pid),
    throttle(share) {
      const turn = () => {
        child.kill('SIGCONT');
        timers = [setTimeout(() => child.kill('SIGSTOP'), PERIOD_MS * share), setTimeout(turn, PERIOD_MS)];
      };
      timers = [setTimeout(turn, Math.random() * PERIOD_MS)]; // not all at once
    },
    stop: () => {
      timers.forEach(clearTimeout);
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
