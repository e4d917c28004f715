/** Threads that do the jobs of one module: they come with the work, and go when there has been none for a while. */
import { Worker, type ResourceLimits, type Transferable } from 'node:worker_threads';

export interface ThreadOptions {
  /** The module: it answers each message of its parent by one, a `Told`. */
  readonly module: URL;
  readonly idleMs: number;
  readonly resourceLimits: ResourceLimits;
}

/** What a thread says: an answer, or what its module threw. */
export type Told<A> = { readonly answer: A } | { readonly thrown: unknown };

export interface Answered<A> {
  readonly answer: A;
  /** They move to who asked. */
  readonly transfer?: readonly Transferable[];
}

interface Thread<A> {
  readonly worker: Worker;
  settle: ((told: Told<A>) => void) | undefined;
  idle?: NodeJS.Timeout;
}

/** As lean as a thread can be: a library's costs as much again to start, and a small directory waits for it. */
export class Threads<J, A> {
  readonly #options: ThreadOptions;
  /** Without a job, the last that had one at the end. */
  readonly #free: Thread<A>[] = [];

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Each job has a thread for itself: whoever asks bounds how many there are. @throws what the module throws, or what ended the thread. */
  async run(job: J): Promise<A> {
    const thread = this.#free.pop() ?? this.#start();
    clearTimeout(thread.idle);
    thread.worker.ref();
    const told = await new Promise<Told<A>>((settle) => {
      thread.settle = settle;
      thread.worker.postMessage(job);
    });
    if ('thrown' in told) throw told.thrown;
    return told.answer;
  }

  #start(): Thread<A> {
    const { module, resourceLimits } = this.#options;
    const worker = new Worker(module, { resourceLimits });
    const thread: Thread<A> = { worker, settle: undefined };
    worker.on('message', (told: Told<A>) => {
      const { settle } = thread;
      thread.settle = undefined;
      this.#rest(thread);
      settle?.(told);
    });
    worker.on('error', (thrown) => this.#ended(thread, thrown));
    worker.on('exit', (code) => this.#ended(thread, new Error(`a thread ended with ${code}`)));
    return thread;
  }

  #rest(thread: Thread<A>): void {
    thread.worker.unref();
    thread.idle = setTimeout(() => {
      this.#forget(thread);
      void thread.worker.terminate();
    }, this.#options.idleMs).unref();
    this.#free.push(thread);
  }

  #ended(thread: Thread<A>, thrown: unknown): void {
    this.#forget(thread);
    thread.settle?.({ thrown });
    thread.settle = undefined;
  }

  #forget(thread: Thread<A>): void {
    clearTimeout(thread.idle);
    const at = this.#free.indexOf(thread);
    if (at >= 0) this.#free.splice(at, 1);
  }
}
