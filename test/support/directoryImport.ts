/** Imports of directories through a worker of this process: small trees, what they leave, and a stop between two phases. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type postgres from 'postgres';
import { png } from '../../bench/generators/png.ts';
import { searchTree, type SearchTreeOptions } from '../../bench/generators/searchTree.ts';
import { openBackends } from '../../src/database/backends/open.ts';
import type { Backend } from '../../src/database/backend.ts';
import type { BackendName } from '../../src/config.ts';
import { importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import { importInput } from '../../src/imports/request.ts';
import type { DirectoryOptions, ImportRequest } from '../../src/messages/requests.ts';
import type { RunningWorker } from '../../src/worker.ts';
import { SLICE_FILES } from '../../src/activities/directory/slice.ts';
import type { DirectoryInput, DirectoryReport } from '../../src/messages/directory.ts';
import type { ImportReport } from '../../src/messages/imports.ts';
import type { Tuning } from '../../src/messages/run.ts';
import { bytesOf, licence, search } from '../sources/search/search.ts';
import type { Subject } from './crash.ts';
import { startFaultServer, type FaultServer } from './hosted/faultServer.ts';
import { openPlace, type Place } from './imports.ts';
import { createDatabase, sharedStack, startApi } from './stack.ts';
import { startTestWorker } from './worker.ts';

export type TreeReport = ImportReport & { readonly directory: DirectoryReport };

export interface TreeRequest extends DirectoryOptions {
  readonly mode?: ImportRequest['mode'];
  readonly relatedRunId?: string;
  readonly rejectsPath?: string;
  readonly compression?: 'none' | 'gzip';
  readonly tuning?: Partial<Tuning>;
  /** JSON files of a slice. */
  readonly sliceFiles?: number;
}

export interface Trees {
  readonly place: Place;
  readonly sql: postgres.Sql;
  readonly backend: Backend;
  readonly faults: FaultServer | undefined;
  input(root: string, request?: TreeRequest): Promise<DirectoryInput>;
  start(root: string, request?: TreeRequest): Promise<WorkflowHandle>;
  run(root: string, request?: TreeRequest): Promise<TreeReport>;
  /** Runs an import that waits for `table` when it comes to use it; meanwhile `change` does its worst. */
  runWhile(root: string, table: string, change: () => void | Promise<void>, request?: TreeRequest): Promise<TreeReport>;
  close(): Promise<void>;
}

/**
 * A database, a worker and connections for imports of directories.
 * @param hosted puts a server between that answers as hosted Supabase does when something is wrong (`faults`).
 */
export async function openTrees(name: BackendName, { hosted = false } = {}): Promise<Trees> {
  const { temporal } = await sharedStack();
  const database = await createDatabase();
  const own = name === 'supabase' ? await startApi(database.databaseUrl) : undefined;
  const faults = own && hosted ? await startFaultServer(own.url) : undefined;
  const api = own && { ...own, url: faults?.url ?? own.url };
  const place = await openPlace({ temporal, databaseUrl: database.databaseUrl, ...(api ? { supabase: api } : {}) });
  let sliceFiles = SLICE_FILES;
  const worker: RunningWorker = await startTestWorker(place.config, { sliceFiles: () => sliceFiles });
  const backends = await openBackends(place.config);
  const { client, sql } = place;
  const trees: Trees = {
    place,
    sql,
    backend: backends.get(name),
    faults,
    async input(
      root,
      { mode = 'commit', relatedRunId, rejectsPath, compression = 'none', tuning = {}, ...directory } = {},
    ) {
      const request = {
        kind: 'search-results',
        path: root,
        mode,
        ...(relatedRunId ? { relatedRunId } : {}),
        ...(rejectsPath ? { rejectsPath } : {}),
      };
      const input = (await importInput(place.config, {
        ...request,
        directory: { tag: 'tag', ...directory },
      })) as DirectoryInput;
      return { ...input, compression, tuning: { ...input.tuning, ...tuning } };
    },
    async start(root, { sliceFiles: wanted = SLICE_FILES, ...request } = {}) {
      sliceFiles = wanted;
      return startImport(client, await trees.input(root, request));
    },
    run: async (root, request) => (await importResult(await trees.start(root, request))) as TreeReport,
    async runWhile(root, table, change, request) {
      let handle: WorkflowHandle | undefined;
      await sql.begin(async (tx) => {
        await tx.unsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
        handle = await trees.start(root, request);
        while (
          (await sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
            .length === 0
        )
          await sleep(5);
        await change();
      });
      return (await importResult(handle!)) as TreeReport;
    },
    async close() {
      await worker.shutdown();
      await backends.close();
      await place.close();
      await faults?.stop();
      await api?.stop();
      await database.drop();
    },
  };
  return trees;
}

/** Long enough ago for the cache to keep what is read, and no whole second. */
const WRITTEN = new Date('2025-08-04T12:00:00.123Z');

/** Writes a file of a tree. @param at its time; later ones count as changed. */
export function writeAt(root: string, path: string, content: Buffer, at: Date = WRITTEN): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  utimesSync(full, at, at);
}

export const minutesLater = (minutes: number): Date => new Date(WRITTEN.getTime() + minutes * 60_000);

/** Searches 0 to `count` - 1 of one state, of one licence and an image of their own each: `FL/Birch_<n>_parse.json`, `.png`. */
export function writeSearches(root: string, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) {
    writeAt(root, `FL/Birch_${i}_parse.json`, searchOf(i));
    writeAt(root, `FL/Birch_${i}.png`, png(i, 3000));
  }
}

/** @param changes of its licence. */
export const searchOf = (i: number, changes: object = {}, metadata: object = {}): Buffer =>
  bytesOf(
    search([licence({ license_number: `PH${i}`, ...changes })], {
      pharmacy_name: `Birch ${i}`,
      source_image_file: `/data/FL/Birch_${i}.png`,
      ...metadata,
    }),
  );

export function writeGenerated(root: string, options: SearchTreeOptions, at?: Date): void {
  for (const { json, images } of searchTree(options))
    for (const { path, bytes } of [json, ...images]) writeAt(root, path, bytes(), at);
}

/** A copy of files with new times. */
export const copyTree = (from: string, to: string): void => cpSync(from, to, { recursive: true });

/** What imports leave, without ids and times of now: results with their images, landed rows, files, counters. */
export async function contentOfTrees(sql: postgres.Sql): Promise<Record<string, unknown[]>> {
  const results = await sql`
    SELECT d.tag, r.search_name, r.search_state, r.search_ts::text, r.license_number, r.license_status, r.license_name, r.license_type, r.address, r.suite,
           r.city, r.state, r.zip, r.issue_date::text, r.expiration_date::text, r.result_status, r.meta, r.raw, i.sha256, i.storage_path, i.file_size,
           i.content_type, i.dataset_id = r.dataset_id AS own
    FROM public.search_results r JOIN public.datasets d ON d.id = r.dataset_id LEFT JOIN public.images i ON i.search_result_id = r.id
    ORDER BY d.tag, r.search_state, r.license_number, r.search_name, r.search_ts`;
  const raw = await sql`
    SELECT w.row_index, w.line_number, w.file_path, w.file_sha256, w.search_ts::text, w.status, w.reason, w.error_message, encode(w.raw_record, 'hex') AS record,
           w.image_error, w.image_message, w.image_item, r.license_number
    FROM ingest.search_results_raw w JOIN ingest.import_runs i ON i.id = w.import_run_id LEFT JOIN public.search_results r ON r.id = w.search_result_id
    ORDER BY i.created_at, w.row_index`;
  const files =
    await sql`SELECT path, size, json_sha256, image_path, image_size, image_sha256 FROM ingest.imported_files ORDER BY path`;
  const runs = await sql`
    SELECT status, rows_fetched, rows_inserted, rows_updated, rows_skipped, rows_errored FROM ingest.import_runs ORDER BY created_at`;
  const plain = (rows: readonly postgres.Row[]): unknown[] => rows.map((row) => ({ ...row }));
  return { results: plain(results), raw: plain(raw), files: plain(files), runs: plain(runs) };
}

/** Every image that production has, read from storage: its hash where it is whole. */
export async function storedHashes(sql: postgres.Sql, { objects }: Backend): Promise<string[]> {
  const rows = await sql<
    { sha256: string; storage_path: string }[]
  >`SELECT DISTINCT sha256, storage_path FROM public.images ORDER BY sha256`;
  return Promise.all(
    rows.map(async (row) => {
      const found = createHash('sha256')
        .update(await objects.get(row.storage_path))
        .digest('hex');
      return found === row.sha256 ? found : `${row.storage_path} is damaged`;
    }),
  );
}

/** Empties what imports of directories write, so that the next one starts from nothing. */
export async function forgetTrees(sql: postgres.Sql): Promise<void> {
  await sql`TRUNCATE ingest.import_runs, ingest.import_run_steps, ingest.search_results_raw, ingest.imported_files, ingest.stored_images, public.datasets,
    public.search_results, public.images, ingest_stage.chunks, ingest_stage.search_results CASCADE`;
}

/** Names of what the storage folder of a postgres backend holds, below `images`. */
export function imageObjects(place: Place): string[] {
  try {
    return readdirSync(join(place.env['INTAKE_OBJECTS_DIR']!, 'images'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.includes('.'),
    );
  } catch {
    return [];
  }
}

/** A tree for crashes. It is dated tomorrow: of files that may still change the cache keeps nothing, so that each import hashes. */
export const SEARCHES: Subject = {
  kind: 'search-results',
  async write({ dir }) {
    const path = join(dir, 'tree');
    writeGenerated(path, { seed: 5, files: 120, imageBytes: 3000, dirtEvery: 6 }, new Date(Date.now() + 86_400_000));
    return { path, directory: { tag: 'tag', batchSize: 10 } };
  },
  async contentOf(sql, { config }) {
    const backends = await openBackends(config);
    const content = { ...(await contentOfTrees(sql)), stored: await storedHashes(sql, backends.get(config.backend)) };
    await backends.close();
    return content;
  },
  async forget(sql, { env }) {
    await forgetTrees(sql);
    await rm(join(env['INTAKE_OBJECTS_DIR']!, 'images'), { recursive: true, force: true });
  },
};
