/**
 * What people who may use the database ordered. Whoever reaches Temporal can start a workflow with any input: a worker reads and writes only
 * files, calls only addresses and deletes only by days that stand here, or that its own configuration allows.
 */
import type { Backend } from './backend.ts';
import type { RunDays } from '../messages/schedules.ts';

export interface Orders {
  /** `queue`: of the host that holds the file; a folder stands for all that is in it. */
  readonly file: { readonly queue: string; readonly path: string };
  /** Where a schedule's push downloads from, as it is given. */
  readonly source: { readonly from: string };
  readonly gateway: { readonly url: string };
  readonly retention: { readonly importsDays: number; readonly anomaliesDays: number };
  readonly runs: { readonly days: RunDays };
}

/** Longer than an import is left before it is resumed, which orders its file again. */
export const ORDER_HOURS = 24 * 60;

/** @param hours how long it holds; for good unless given. */
export async function order<W extends keyof Orders>(
  backend: Pick<Backend, 'call'>,
  what: W,
  items: readonly Orders[W][],
  hours?: number,
): Promise<void> {
  if (items.length > 0) await backend.call('order_work', { what, items, hours: hours ?? null });
}

/** Files that an input names, with the host that has them. */
export function filesIn({
  fileQueue: queue,
  path,
  rejectsPath,
  differencesPath,
  operationsPath,
  imagesDir,
}: FileInput): Orders['file'][] {
  return [path, rejectsPath, differencesPath, operationsPath, imagesDir].flatMap((named) =>
    named ? [{ queue, path: named }] : [],
  );
}

export interface FileInput {
  readonly fileQueue: string;
  readonly path: string;
  readonly rejectsPath?: string;
  readonly differencesPath?: string;
  readonly operationsPath?: string;
  readonly imagesDir?: string;
}
