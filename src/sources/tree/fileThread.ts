/** Entry of a file thread. Bytes move to the worker's own thread, they are not copied. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { inspectImage, type InspectedImage } from './imageType.ts';
import { readInside, type Known, type Unread } from './insideFile.ts';
import { factsOf, listFolder, type Entry } from './listFolder.ts';

interface ListJob {
  readonly do: 'list';
  readonly root: string;
  readonly below: string;
  readonly group: number;
}

interface FactsJob {
  readonly do: 'facts';
  readonly root: string;
  readonly below: string;
  readonly entries: readonly Entry[];
}

export interface FileToRead {
  /** Below the root. */
  readonly path: string;
  /** As in `readInside`. */
  readonly known?: Known;
  /** Where its bytes go in the job's memory, which has room for as many as are known. */
  readonly at?: number;
}

export interface ReadJob {
  readonly do: 'read';
  readonly root: string;
  readonly files: readonly FileToRead[];
  /** Bytes; a larger file is not read. */
  readonly limit: number;
  /** They are to be images: each is looked at where its bytes are. */
  readonly images?: boolean;
  /** Whether the bytes are wanted, beside what they are. */
  readonly bytes: boolean;
  /** Memory of whoever asks: nothing comes and goes for the files that have a place in it. */
  readonly into?: SharedArrayBuffer;
}

export type ReadFile =
  | { readonly sha256: string; readonly image?: InspectedImage; readonly bytes?: Buffer; readonly error?: undefined }
  | { readonly error: Unread };

export type FileJob = ListJob | FactsJob | ReadJob;

export type FileAnswer<J extends FileJob> = J extends ListJob
  ? Entry[] | { error: string }
  : J extends FactsJob
    ? Entry[]
    : /** Of the first files, at least one: whoever asked goes on with the others. */
      ReadFile[];

/** A message's worth of reading, in milliseconds and bytes: where each file takes long, other threads take the others. */
const ENOUGH_MS = 20;
const ENOUGH_BYTES = 4 * 1024 * 1024;

/** Larger files than this have memory of their own. */
const SCRATCH_BYTES = 1024 * 1024;

/** Bytes a millisecond that the slowest disk of a machine of one's own gives. */
const SLOW_DISK = 100_000;

/** Names that a network's file system gives in one answer, about. */
const NAMES_A_CALL = 100;

export interface Timed<A> {
  /** Milliseconds, for each file or call. */
  readonly took: number;
  readonly answer: A;
}

export default function fileThread(job: FileJob): unknown {
  if (job.do === 'read') {
    const read = readFiles(job);
    const buffers = read.answer.flatMap((one) => ('bytes' in one ? [one.bytes.buffer as ArrayBuffer] : []));
    return move({ [transferableSymbol]: buffers, [valueSymbol]: read });
  }
  const clock = startClock();
  const answer =
    job.do === 'list' ? listFolder(job.root, job.below, job.group) : factsOf(job.root, job.below, job.entries);
  const names = 'error' in answer ? [] : answer;
  const calls = 1 + names.filter(({ size }) => size !== undefined).length + names.length / NAMES_A_CALL;
  return { took: clock() / calls, answer } satisfies Timed<FileAnswer<FileJob>>;
}

/** Milliseconds from now on, without those in which the thread worked, or waited for a processor: neither makes a file system slow. */
function startClock(): () => number {
  const idle = () => {
    const { user, system } = process.threadCpuUsage();
    return performance.now() - (user + system) / 1000 - waitedForProcessor();
  };
  const started = idle();
  return () => idle() - started;
}

/** Milliseconds in the life of this thread, where the system tells. */
function waitedForProcessor(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Of files whose bytes nobody wants. */
let scratch: Buffer | undefined;

function readFiles({ root, files, limit, images, bytes: wanted, into }: ReadJob): Timed<ReadFile[]> {
  const spaceOf = ({ at, known }: FileToRead): Buffer | undefined => {
    if (into && known && at !== undefined) return Buffer.from(into, at, known.size);
    return wanted ? undefined : (scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES));
  };
  const answer: ReadFile[] = [];
  const clock = startClock();
  const started = performance.now();
  let length = 0;
  for (const file of files) {
    const space = spaceOf(file);
    const read = readInside(root, file.path, limit, file.known, space);
    if (read.error === undefined) {
      const { bytes } = read;
      length += bytes.length;
      answer.push({
        sha256: hash('sha256', bytes, 'hex'),
        ...(images ? { image: inspectImage(bytes) } : {}),
        ...(wanted && !space ? { bytes } : {}),
      });
    } else {
      answer.push(read);
    }
    if (performance.now() - started > ENOUGH_MS || length > ENOUGH_BYTES) break;
  }
  // What the bytes themselves take says nothing about the calls.
  return { took: Math.max(0, clock() - length / SLOW_DISK) / answer.length, answer };
}
