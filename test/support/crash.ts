/** A stack whose parts may be killed, a worker that is started again whenever it ends, and an import that has to survive it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureStack, stopStack, type Stack } from '../../src/local/stack.ts';
import type { ImportReport, Tuning } from '../../src/workflows/messages.ts';
import type postgres from 'postgres';
import type { BackendName } from '../../src/config.ts';
import type { ImportRequest } from '../../src/imports.ts';
import { openPlace, spawnWorker, type Place, type WorkerProcess } from './imports.ts';
import { ANY_PORTS, makeStackFolder } from './stack.ts';

export const SMALL_PARTS: Partial<Tuning> = { chunkBytes: 8192, sliceFiles: 50, partitionRows: 80, window: 2, heartbeatSeconds: 2 };

/** What is imported, and what its import leaves in the tables. */
export interface Subject {
  readonly kind: string;
  /** Puts it into the place's directory. */
  write(place: Place): Promise<Partial<ImportRequest> & { readonly path: string }>;
  contentOf(sql: postgres.Sql, place: Place): Promise<unknown>;
  forget(sql: postgres.Sql, place: Place): Promise<void>;
}

export interface CrashSite {
  readonly stack: Stack;
  readonly place: Place;
  /** The worker of now. */
  worker(): WorkerProcess;
  /** How often a worker died. */
  deaths(): number;
  /** Starts workers with these failpoints armed; a dead one is followed by another until `stop`. */
  start(failpoints?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  /** Imports the file from nothing while `disturb` does its worst. */
  importDisturbed(disturb?: () => Promise<unknown>): Promise<{ report: ImportReport; content: unknown }>;
  close(): Promise<void>;
}

export async function openCrashSite(backend: BackendName, { kind, write, contentOf, forget }: Subject): Promise<CrashSite> {
  const dir = await makeStackFolder();
  const stack = await ensureStack({ dir, ports: ANY_PORTS, worker: false });
  const { temporal, databaseUrl, supabaseUrl: url, serviceRoleKey } = stack;
  const place = await openPlace({ temporal, databaseUrl, ...(backend === 'supabase' ? { supabase: { url, serviceRoleKey } } : {}) });
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
    stack, place, stop,
    worker: () => running!,
    deaths: () => deaths,
    async start(failpoints = []) {
      [wanted, deaths] = [true, 0];
      for (const name of failpoints) await rm(join(markers, `failpoint-${name}`), { force: true });
      startWorker({ INTAKE_FAILPOINTS: failpoints.join(','), INTAKE_FAILPOINTS_DIR: markers });
    },
    async importDisturbed(disturb = async () => undefined) {
      await forget(place.sql, place);
      const [report] = await Promise.all([place.run(await place.input({ ...request, kind }, SMALL_PARTS)), disturb()]);
      return { report, content: await contentOf(place.sql, place) };
    },
    async close() {
      await stop();
      await place.close();
      await stopStack(dir);
      await rm(dir, { recursive: true, force: true });
      await rm(markers, { recursive: true, force: true });
    },
  };
}
