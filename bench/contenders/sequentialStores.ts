/** Where the sequential importer writes: a database and a folder, or Supabase's API. A newer search replaces an older one. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { Client } from 'pg';
import { folderObjects } from '../../src/database/objects/folder.ts';
import { BUCKET } from '../../src/database/backend.ts';
import { LICENCE_COLUMNS } from '../../src/sources/search/licences.ts';
import type { Stack } from '../../src/local/stack.ts';

export interface ImageRow {
  readonly sha256: string;
  readonly storage_path: string;
  readonly storage_type: 'local' | 'supabase';
  readonly file_size: number;
  readonly content_type: string;
}

/** Columns of `search_results` that Intake's reading gives a value. */
export const RESULT_COLUMNS = LICENCE_COLUMNS.filter((column) => column !== 'result_key');

/** A column's name and its value. */
export type ResultRow = Readonly<Record<string, unknown>>;

/** Each call is a round trip of its own. */
export interface Store {
  readonly storageType: ImageRow['storage_type'];
  dataset(tag: string): Promise<number>;
  has(path: string): Promise<boolean>;
  put(path: string, bytes: Buffer, contentType: string): Promise<void>;
  /** Id of the row, unless a newer one stays. */
  writeResult(row: ResultRow): Promise<number | undefined>;
  writeImage(row: ImageRow & { readonly dataset_id: number; readonly search_result_id: number }): Promise<void>;
  close(): Promise<void>;
}

const COLUMNS = ['dataset_id', ...RESULT_COLUMNS, 'raw'];
const setAll = (columns: readonly string[]): string =>
  columns.map((column) => `${column} = excluded.${column}`).join(', ');
const IMAGE_COLUMNS = [
  'dataset_id',
  'search_result_id',
  'sha256',
  'storage_path',
  'storage_type',
  'file_size',
  'content_type',
] as const;

const insert = (table: string, columns: readonly string[]): string =>
  `insert into ${table} as r (${columns.join(', ')}) values (${columns.map((_, i) => `$${i + 1}`).join(', ')}) on conflict`;

const STATEMENTS = {
  dataset: `insert into public.datasets (kind, tag) values ('states', $1) on conflict (kind, tag) do update set tag = excluded.tag returning id`,
  licence: `${insert('public.search_results', COLUMNS)} (dataset_id, search_state, license_number) do update set ${setAll(COLUMNS)}
    where excluded.search_ts > r.search_ts returning id`,
  noResults: `${insert('public.search_results', COLUMNS)} (dataset_id, search_state, search_name, search_ts) where license_number is null do nothing returning id`,
  image: `${insert('public.images', IMAGE_COLUMNS)} (search_result_id) do update set ${setAll(IMAGE_COLUMNS)}`,
} as const;

/** One connection, prepared statements, each its own transaction; objects are on disk when they are stored. */
export async function openPostgres({
  databaseUrl,
  objectsDir,
}: Pick<Stack, 'databaseUrl' | 'objectsDir'>): Promise<Store> {
  const connection = new Client({ connectionString: databaseUrl });
  await connection.connect();
  const objects = folderObjects(objectsDir);
  const ask = async (name: keyof typeof STATEMENTS, values: readonly unknown[]): Promise<number | undefined> => {
    const { rows } = await connection.query<{ id: string }>({ name, text: STATEMENTS[name], values: [...values] });
    return rows[0] && Number(rows[0].id);
  };
  return {
    storageType: 'local',
    dataset: async (tag) => (await ask('dataset', [tag])) as number,
    has: (path) =>
      access(join(objectsDir, path)).then(
        () => true,
        () => false,
      ),
    put: (path, bytes) => objects.put(path, bytes),
    writeResult: (row) =>
      ask(
        row['license_number'] ? 'licence' : 'noResults',
        COLUMNS.map((column) => row[column]),
      ),
    async writeImage(row) {
      await ask(
        'image',
        IMAGE_COLUMNS.map((column) => row[column]),
      );
    },
    close: () => connection.end(),
  };
}

/** A request each, as supabase-js makes them. The API knows no conditional upsert, so that an older search would win here. */
export async function openSupabase({
  supabaseUrl,
  serviceRoleKey,
}: Pick<Stack, 'supabaseUrl' | 'serviceRoleKey'>): Promise<Store> {
  const client = createClient(supabaseUrl, serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const bucket = client.storage.from(BUCKET);
  const idOf = async (
    request: PromiseLike<{ data: { id: number } | null; error: Error | null }>,
  ): Promise<number | undefined> => {
    const { data, error } = await request;
    if (error) throw error;
    return data?.id;
  };
  const results = () => client.from('search_results');
  return {
    storageType: 'supabase',
    dataset: async (tag) =>
      (await idOf(
        client.from('datasets').upsert({ kind: 'states', tag }, { onConflict: 'kind,tag' }).select('id').single(),
      )) as number,
    has: async (path) => (await bucket.exists(path)).data,
    async put(path, bytes, contentType) {
      const { error } = await bucket.upload(path, bytes, { contentType });
      if (error) throw error;
    },
    writeResult(row) {
      const write = row['license_number']
        ? results().upsert(row, { onConflict: 'dataset_id,search_state,license_number' })
        : results().insert(row);
      return idOf(write.select('id').single());
    },
    async writeImage(row) {
      const { error } = await client.from('images').upsert(row, { onConflict: 'search_result_id' });
      if (error) throw error;
    },
    close: async () => {},
  };
}
