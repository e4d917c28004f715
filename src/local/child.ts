/** One process of the stack, started again whenever it ends by itself. */
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { ended, identify, signal } from './processes.ts';
import type { ProcessId } from './processes.ts';
import type { ChildState, ServerUser } from './state.ts';

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 5_000;
/** One that ran this long was well: its next failure starts with the first backoff again. */
const HEALTHY_MS = 10_000;
/** One that ran this long did its work: the next end is the first in a row. */
const STABLE_MS = 20_000;

export interface ChildSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Receives stdout and stderr. */
  readonly log: string;
  readonly user?: ServerUser | undefined;
  readonly stopSignal: NodeJS.Signals;
  /** How long it may take to stop before SIGKILL. */
  readonly graceMs: number;
  /** A descriptor that it keeps open for as long as it lives. */
  readonly keepOpen: number | undefined;
  /** Mends what a crash left; runs before every start, and its failure counts as the child's. */
  readonly beforeStart?: () => void;
}

export class SupervisedChild {
  readonly #spec: ChildSpec;
  readonly #onChange: () => void;
  #process: ProcessId | undefined;
  #exits = 0;
  #failing = 0;
  #backoff = FIRST_BACKOFF_MS;
  #retry: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(spec: ChildSpec, onChange: () => void) {
    this.#spec = spec;
    this.#onChange = onChange;
  }

  get state(): ChildState {
    return { ...(this.#process && { process: this.#process }), exits: this.#exits, failing: this.#failing };
  }

  start(): void {
    const { command, args, env, log, user, keepOpen, beforeStart } = this.#spec;
    const since = Date.now();
    let output: number | undefined;
    try {
      output = openSync(log, 'a', 0o600);
      beforeStart?.();
      const stdio = ['ignore', output, output, keepOpen ?? 'ignore'] as const;
      // What the programs write is the owner's alone; a child has the umask of its start.
      const umask = process.umask(0o077);
      const child = spawn(command, args, { ...user, env, cwd: '/', stdio: [...stdio] });
      process.umask(umask);
      this.#process = child.pid === undefined ? undefined : identify(child.pid);
      child.once('error', (error) => this.#say(error.message));
      child.once(child.pid === undefined ? 'error' : 'exit', (_, signalName?: NodeJS.Signals | null) => {
        if (signalName && !this.#stopping) this.#say(`was ended by ${signalName}`);
        this.#ended(Date.now() - since);
      });
      this.#onChange();
    } catch (error) {
      this.#say(String(error));
      this.#ended(0);
    } finally {
      if (output !== undefined) closeSync(output);
    }
  }

  /** Stops it for good; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    const running = this.#process;
    if (!running) return;
    signal(running, this.#spec.stopSignal);
    if (await ended([running], this.#spec.graceMs)) return;
    signal(running, 'SIGKILL');
    await ended([running], 2_000);
  }

  /** Why it does not start, where its own words would stand. */
  #say(words: string): void {
    const line = `FATAL: ${this.#spec.command}: ${words}`;
    try {
      appendFileSync(this.#spec.log, `${line}\n`, { mode: 0o600 });
    } catch {
      console.error(line);
    }
  }

  #ended(ranMs: number): void {
    this.#process = undefined;
    if (this.#stopping) return;
    this.#exits += 1;
    this.#failing = ranMs > STABLE_MS ? 1 : this.#failing + 1;
    if (ranMs > HEALTHY_MS) this.#backoff = FIRST_BACKOFF_MS;
    this.#retry = setTimeout(() => this.start(), this.#backoff);
    this.#backoff = Math.min(this.#backoff * 2, LONGEST_BACKOFF_MS);
    this.#onChange();
  }
}
