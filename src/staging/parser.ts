/** Chunks become staged rows on threads of their own, so that the worker's event loop stays free for Temporal. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import stageRows, { type StageJob, type StagedRows } from './stageRows.ts';

export interface Parser {
  parse(job: StageJob): Promise<StagedRows>;
  close(): Promise<void>;
}

/** Below this a thread costs more than it saves. */
const SMALL = 512 * 1024;

/** @param threads half of the processors, since PostgreSQL wants as many for what they send it. */
export function createParser(threads = Math.max(1, Math.min(4, availableParallelism() >> 1))): Parser {
  let pool: Piscina | undefined;
  const start = () =>
    new Piscina({
      filename: new URL(`./parseThread.${import.meta.url.split('.').pop()}`, import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: 5_000,
      // A chunk, its cells and its encoded rows; the rest is garbage that a small heap collects early.
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 },
    });
  return {
    async parse(job) {
      if (job.bytes.length < SMALL) return stageRows(job);
      pool ??= start();
      const bytes = job.bytes.buffer.byteLength === job.bytes.length ? job.bytes : new Uint8Array(job.bytes);
      return pool.run({ ...job, bytes }, { transferList: [bytes.buffer as ArrayBuffer] }) as Promise<StagedRows>;
    },
    close: async () => pool?.destroy(),
  };
}
