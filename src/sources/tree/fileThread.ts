/** Entry of a file thread. Bytes move to the worker's own thread, they are not copied. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { readInside, type InsideBytes, type Known } from './insideFile.ts';
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

interface ReadJob {
  readonly do: 'read';
  readonly root: string;
  readonly path: string;
  readonly limit: number;
  readonly known?: Known;
}

export type FileJob = ListJob | FactsJob | ReadJob;

export type FileAnswer<J extends FileJob> = J extends ListJob
  ? Entry[] | { error: string }
  : J extends FactsJob
    ? Entry[]
    : InsideBytes;

export default function fileThread(job: FileJob): unknown {
  const started = performance.now();
  const answer = answerTo(job);
  const value = { took: performance.now() - started, answer };
  if (!('bytes' in answer)) return value;
  return move({ [transferableSymbol]: [answer.bytes.buffer as ArrayBuffer], [valueSymbol]: value });
}

function answerTo(job: FileJob): FileAnswer<FileJob> {
  if (job.do === 'list') return listFolder(job.root, job.below, job.group);
  if (job.do === 'facts') return factsOf(job.root, job.below, job.entries);
  return readInside(job.root, job.path, job.limit, job.known);
}
