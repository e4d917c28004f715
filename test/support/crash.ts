/** A stack whose parts may be killed, a worker that is started again whenever it ends, and an import that has to survive it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureStack, stopStack } from '../../src/local/stack.ts';
import type { ImportReport } from '../../src/messages/imports.ts';
import type { Tuning } from '../../src/messages/run.ts';
import type postgres from 'postgres';
import type { BackendName } from '../../src/config.ts';
import type { ImportRequest } from '../../src/messages/requests.ts';
import { openPlace, spawnWorker, type Place, type PlaceOptions, type WorkerProcess } from './imports.ts';
import { ANY_PORTS, createDatabase, makeStackFolder, sharedStack, startApi } from './stack.ts';

const SMALL_PARTS: Partial<Tuning> = {
  chunkBytes: 8192,
  partitionRows: 80,
  window: 2,
};

/** What is imported, and what its import leaves in the tables. */
export interface Subject {
  readonly kind: string;
  /** Puts it into the place's directory. */
  write(place: Place): Promise<Partial<ImportRequest> & { readonly path: string }>;
  contentOf(sql: postgres.Sql, place: Place): Promise<unknown>;
  forget(sql: postgres.Sql, place: Place): Promise<void>;
}

export interface CrashSite {
  /** Folder of the stack. */
  readonly dir: string;
  readonly place: Place;
  /** The worker of now. */
  worker(): WorkerProcess;
  /** How often a worker died. */
  deaths(): number;
  /** Starts workers with these failpoints armed; a dead one is followed by another until `stop`. */
  start(failpoints?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  /** Imports the file from nothing, or tries to, while `disturb` does its worst. */
  importDisturbed(
    disturb?: () => Promise<unknown>,
    mode?: 'commit' | 'dry-run',
  ): Promise<{ report: ImportReport; content: unknown }>;
  close(): Promise<void>;
}

interface Servers extends PlaceOptions {
  readonly dir: string;
  close(): Promise<void>;
}

/** @param own whether it has a stack of its own, whose servers may be killed. */
export async function openCrashSite(
  backend: BackendName,
  { kind, write, contentOf, forget }: Subject,
  { own = false } = {},
): Promise<CrashSite> {
  const servers = await (own ? ownServers() : sharedServers(backend));
  const place = await openPlace(servers);
  const request = await write(place);
  const markers = await mkdtemp(join(tmpdir(), 'intake-failpoints-'));
  let running: WorkerProcess | undefined;
  let wanted = false;
  let deaths = 0;
  const startWorker = (env: Record<string, string>): void => {
    running = spawnWorker({ ...place.env, ...env });
    void running.ended.then(() => {
      if (!wanted) return;
      deaths++;
      startWorker(env);
    });
  };
  const stop = async (): Promise<void> => {
    wanted = false;
    await running?.stop('SIGKILL');
  };
  return {
    dir: servers.dir,
    place,
    stop,
    worker: () => running!,
    deaths: () => deaths,
    async start(failpoints = []) {
      [wanted, deaths] = [true, 0];
      for (const name of failpoints) await rm(join(markers, `failpoint-${name}`), { force: true });
      startWorker({ INTAKE_FAILPOINTS: failpoints.join(','), INTAKE_FAILPOINTS_DIR: markers });
    },
    async importDisturbed(disturb = async () => undefined, mode = 'commit') {
      await forget(place.sql, place);
      const input = await place.input({ ...request, kind, mode }, SMALL_PARTS);
      const [report] = await Promise.all([place.run(input), disturb()]);
      return { report, content: await contentOf(place.sql, place) };
    },
    async close() {
      await stop();
      await place.close();
      await servers.close();
      await rm(markers, { recursive: true, force: true });
    },
  };
}

async function ownServers(): Promise<Servers> {
  const dir = await makeStackFolder();
  const { temporal, databaseUrl } = await ensureStack({ dir, ports: ANY_PORTS, worker: false });
  return {
    dir,
    temporal,
    databaseUrl,
    async close() {
      await stopStack(dir);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function sharedServers(backend: BackendName): Promise<Servers> {
  const [{ dir, temporal }, database] = await Promise.all([sharedStack(), createDatabase()]);
  const api = backend === 'supabase' ? await startApi(database.databaseUrl) : undefined;
  return {
    dir,
    temporal,
    databaseUrl: database.databaseUrl,
    ...(api ? { supabase: api } : {}),
    async close() {
      await api?.stop();
      await database.drop();
    },
  };
}
