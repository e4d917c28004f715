/** The importer that runbook 004 replaced: one file, one upload, one statement at a time. Files are read and judged by Intake's own code. */
import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { BackendName } from '../../src/config.ts';
import { CONTENT_TYPES, inspectImage } from '../../src/sources/tree/imageType.ts';
import { LICENCE_COLUMNS, licencesOf } from '../../src/sources/search/licences.ts';
import { readSearchFile, sourceImageOf } from '../../src/sources/search/searchFile.ts';
import { timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';
import {
  openPostgres,
  openSupabase,
  RESULT_COLUMNS,
  type ImageRow,
  type ResultRow,
  type Store,
} from './sequentialStores.ts';

export const sequential = (backend: BackendName): Contender => ({
  name: `sequential-${backend}`,
  about: `one file after the other, ${backend}: hash, upload, a statement for each result and for each image`,
  missing: () => undefined,
  run: (course) => importFiles(course, backend),
});

/** Imports a directory without dirt. */
export async function importFiles(
  { stack, file: root, count }: Pick<Course, 'stack' | 'file' | 'count'>,
  backend: BackendName,
): Promise<Outcome> {
  const seconds = await timed(async () => {
    const store = await (backend === 'postgres' ? openPostgres(stack) : openSupabase(stack));
    try {
      const dataset = await store.dataset('bench');
      const paths = await readdir(root, { recursive: true });
      for (const path of paths.filter((name) => name.endsWith('_parse.json')).sort())
        await importFile(store, dataset, root, path);
    } finally {
      await store.close();
    }
  });
  return { seconds, counts: await count() };
}

async function importFile(store: Store, dataset: number, root: string, path: string): Promise<void> {
  const read = readSearchFile(await readFile(join(root, path)));
  if (!read.ok) throw new Error(`${path}: ${read.message}`);
  const image = await upload(store, join(root, dirname(path), basename(sourceImageOf(read.file) as string)));
  const rows = licencesOf(read.file).map(({ values, raw }): ResultRow => {
    const row = Object.fromEntries(RESULT_COLUMNS.map((column) => [column, values[LICENCE_COLUMNS.indexOf(column)]]));
    return {
      ...row,
      dataset_id: dataset,
      meta: JSON.parse(row['meta'] ?? '{}') as unknown,
      raw: JSON.parse(raw) as unknown,
    };
  });
  for (const row of rows) {
    const id = await store.writeResult(row);
    if (id !== undefined) await store.writeImage({ dataset_id: dataset, search_result_id: id, ...image });
  }
}

async function upload(store: Store, path: string): Promise<ImageRow> {
  const bytes = await readFile(path);
  const sha256 = hash('sha256', bytes, 'hex');
  const inspected = inspectImage(bytes);
  if (inspected.error !== undefined) throw new Error(`${path}: ${inspected.error}`);
  const { type } = inspected;
  const content_type = CONTENT_TYPES[type];
  const storage_path = `images/sha256/${sha256.slice(0, 2)}/${sha256}.${type}`;
  if (!(await store.has(storage_path))) await store.put(storage_path, bytes, content_type);
  return { sha256, storage_path, storage_type: store.storageType, file_size: bytes.length, content_type };
}
