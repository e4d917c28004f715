/** Calls to a file system that may be slow, on threads of their own: the worker's event loop and Node's own threads stay free. */
import { Piscina } from 'piscina';
import type { FileJob, FileAnswer } from './fileThread.ts';
import type { InsideBytes, Known } from './insideFile.ts';

/** At first as many as a disk of this machine is worth, then as a network is whose calls take long. */
const [FEW, MANY] = [2, 16] as const;

/** A job that takes longer than this waits for something else than this machine, in milliseconds. */
const SLOW = 8;

let pool: Piscina | undefined;
let width: number = FEW;
let running = 0;
const waiting: (() => void)[] = [];

const start = (): Piscina =>
  new Piscina({
    filename: new URL(`./fileThread.${import.meta.url.split('.').pop()}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: MANY,
    idleTimeout: 5_000,
    resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 },
  });

/** Whoever waits has his permit when he is called. */
export const fileThreads = {
  /** Never more at a time than the file system is worth. */
  async run<J extends FileJob>(job: J): Promise<FileAnswer<J>> {
    if (running >= width) await new Promise<void>((free) => waiting.push(free));
    else running++;
    try {
      pool ??= start();
      const { took, answer } = (await pool.run(job)) as { took: number; answer: FileAnswer<J> };
      width = took > SLOW ? Math.min(MANY, width + 1) : Math.max(FEW, width - 1);
      return answer;
    } finally {
      running--;
      for (; running < width && waiting.length > 0; running++) waiting.shift()?.();
    }
  },
};

/** `readInside` on a thread: the bytes of a file below the root, never a rejection for what is wrong with it. */
export async function readTreeFile(root: string, path: string, limit: number, known?: Known): Promise<InsideBytes> {
  const job = {
    do: 'read',
    root,
    path,
    limit,
    ...(known ? { known: { size: known.size, mtimeMs: known.mtimeMs } } : {}),
  } as const;
  const read = await fileThreads.run(job);
  // A thread's answer has plain bytes.
  return read.error === undefined
    ? { bytes: Buffer.from(read.bytes.buffer, read.bytes.byteOffset, read.bytes.length) }
    : read;
}
