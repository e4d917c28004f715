/** Refuses what nobody ordered: see database/orders.ts. */
import { dirname, join, resolve, sep } from 'node:path';
import { filesIn, type FileInput, type Orders } from '../database/orders.ts';
import { IntakeError } from '../errors.ts';
import type { BackendName } from '../config.ts';
import type { Backend } from '../database/backend.ts';
import type { ImportRequest } from '../messages/requests.ts';
import { hostQueue } from '../temporal/queues.ts';
import { pushFolder, type Deps } from './deps.ts';

/** So long is an answer good: an order is not taken back. */
const KNOWN_MS = 5 * 60_000;
const known = new WeakMap<Backend, Map<string, number>>();

/** @throws IntakeError INPUT_REFUSED unless one of these was ordered. */
export async function requireOrder<W extends keyof Orders>(
  backend: Backend,
  what: W,
  items: readonly Orders[W][],
  words: string,
): Promise<void> {
  const key = `${what} ${JSON.stringify(items)}`;
  const until = known.get(backend) ?? new Map<string, number>();
  known.set(backend, until);
  if ((until.get(key) ?? 0) > Date.now()) return;
  if (!(await backend.call('is_ordered', { what, items })))
    throw new IntakeError('INPUT_REFUSED', `Nobody who may use the database ordered ${words}`);
  until.set(key, Date.now() + KNOWN_MS);
}

/** Files of a host: what its worker may read and write. */
export async function requireFiles(
  { config, workDir, backend }: Deps,
  name: BackendName,
  input: FileInput,
): Promise<void> {
  for (const { queue, path: named } of filesIn(input)) {
    const path = resolve(named);
    // A download lies where this program put it.
    if ([...config.files, pushFolder(workDir)].some((folder) => isWithin(path, folder))) continue;
    await requireOrder(
      backend(name),
      'file',
      [path, ...parentsOf(path)].map((path) => ({ queue, path })),
      `to use ${named}`,
    );
  }
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(join(folder, sep));

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...parentsOf(parent)];
}

type Activity = (...args: never[]) => Promise<unknown>;
type Named = FileInput & { readonly backend: BackendName };

/** Those that read or write what their input names, whatever worker they run on. */
const OF_FILES: Readonly<Record<string, (request: never, deps: Deps) => Named | undefined>> = {
  plan: (input: Named) => input,
  hash: ({ input }: { input: Named }) => input,
  upload: ({ input }: { input: Named }) => input,
  // Stored parts are read from there, by any worker.
  parse: ({ input, stored }: { input: Named; stored?: boolean }) => (stored ? undefined : input),
  writeRejects: ({ input }: { input: Named }) => input,
  writeDifferences: ({ input }: { input: Named }) => input,
  writeOperations: ({ input }: { input: Named }) => input,
  planTree: (input: Named) => input,
  hashSlice: ({ input }: { input: Named }) => input,
  uploadSlice: ({ input }: { input: Named }) => input,
  stageSlice: ({ input }: { input: Named }) => input,
  writeFailedItems: ({ input }: { input: Named }) => input,
  splitPush: (push: Named) => push,
  postBatch: ({ push }: { push: Named }) => push,
  prepareImport: (request: ImportRequest, { config }) => ({
    ...request,
    backend: request.backend ?? config.backend,
    ...(request.directory?.imagesDir ? { imagesDir: request.directory.imagesDir } : {}),
    fileQueue: hostQueue(config.taskQueue, config.host),
  }),
};

/** Activities that look at what they are asked for before they do it. */
export function onOrder<A extends { [name in keyof A]: Activity }>(activities: A, deps: Deps): A {
  return Object.fromEntries(
    Object.entries<Activity>(activities).map(([name, run]) => {
      const inputOf = OF_FILES[name];
      if (!inputOf) return [name, run];
      const checked: Activity = async (...args) => {
        const input = inputOf(args[0] as never, deps);
        if (input) await requireFiles(deps, input.backend, input);
        return run(...args);
      };
      return [name, checked];
    }),
  ) as unknown as A;
}
