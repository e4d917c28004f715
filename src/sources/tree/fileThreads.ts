/** Calls to a file system that may be slow, on threads of their own: the worker's event loop and Node's own threads stay free. */
import { Piscina } from 'piscina';
import type { FileAnswer, FileJob, FileToRead, ReadFile, ReadJob, Timed } from './fileThread.ts';

export type { FileToRead, ReadFile, ReadJob } from './fileThread.ts';

/** At first as many as a disk of this machine is worth, then as a network is whose calls take long. */
const [FEW, MANY] = [2, 16] as const;

/** A job that takes longer than this, for each of its files, waits for something else than this machine, in milliseconds. */
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
      const { took, answer } = (await pool.run(job)) as Timed<FileAnswer<J>>;
      width = took > SLOW ? Math.min(MANY, width + 1) : Math.max(FEW, width - 1);
      return answer;
    } finally {
      running--;
      for (; running < width && waiting.length > 0; running++) waiting.shift()?.();
    }
  },
};

export interface ReadOptions {
  /** Into as many messages the rest goes where the file system takes long. */
  readonly parts: number;
  /** Ends it between two messages. */
  readonly signal: AbortSignal;
}

/**
 * `readInside` of many files, on threads: as many of them a message as are read in a moment. Never rejects for what is wrong with a file.
 * @param each is told of every file, by its place among them, in any order.
 */
export async function readFiles(
  job: Omit<ReadJob, 'do'>,
  options: ReadOptions,
  each: (read: ReadFile, at: number) => void,
  from = 0,
): Promise<void> {
  options.signal.throwIfAborted();
  const read = await fileThreads.run({ do: 'read', ...job });
  read.forEach((one, i) => each(withBytes(one, job, job.files[i]!), from + i));
  const rest = job.files.slice(read.length);
  const size = Math.ceil(rest.length / options.parts);
  const parts: Promise<void>[] = [];
  for (let at = 0; at < rest.length; at += size)
    parts.push(readFiles({ ...job, files: rest.slice(at, at + size) }, options, each, from + read.length + at));
  await Promise.allSettled(parts);
  await Promise.all(parts);
}

function withBytes(read: ReadFile, { into }: Omit<ReadJob, 'do'>, { at, known }: FileToRead): ReadFile {
  if (read.error !== undefined) return read;
  if (into && known && at !== undefined) return { ...read, bytes: Buffer.from(into, at, known.size) };
  if (!read.bytes) return read;
  const { buffer, byteOffset, length } = read.bytes; // which a thread's answer has as plain bytes
  return { ...read, bytes: Buffer.from(buffer, byteOffset, length) };
}
