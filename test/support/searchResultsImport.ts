/** Imports of search results made of SQL calls alone, step by step, in any order of parts. */
import { createHash, randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import type { OpenImport } from './sqlImport.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One licence of a file, or (without a number) a search without results. */
export interface Licence {
  readonly name?: string | undefined;
  readonly state?: string | undefined;
  readonly ts: string;
  readonly number?: string | undefined;
  readonly status?: string | undefined;
  readonly expires?: string | undefined;
  /** Content of the image. */
  readonly image?: string | undefined;
  readonly imageError?: string | undefined;
  /** Code of a rejected row. */
  readonly error?: string | undefined;
  /** JSON that is no object. */
  readonly raw?: string;
  /** A copy of an earlier search. */
  readonly duplicate?: boolean;
}

export interface Searches {
  readonly source?: string;
  readonly tag?: string;
  /** Also the directory's hash. */
  readonly batch?: string;
  readonly rows: readonly Licence[];
  readonly parts?: number;
  readonly backend?: 'supabase' | 'postgres';
}

export interface OpenSearches extends OpenImport {
  readonly batch: Searches;
  readonly parts: number;
}

export interface Counts {
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  readonly errored: number;
  readonly effects: { readonly images: number; readonly refused: number; readonly conflicts?: number };
}

const COLUMNS = [
  ...[
    'part',
    'row_index',
    'line_number',
    'raw_payload',
    'raw_record',
    'error_code',
    'error_message',
    'result_key',
    'dataset_tag',
    'file_path',
  ],
  ...[
    'file_sha256',
    'search_name',
    'search_state',
    'search_ts',
    'license_number',
    'license_status',
    'expiration_date',
    'meta',
  ],
  ...[
    'image_sha256',
    'image_path',
    'image_type',
    'image_size',
    'image_error',
    'image_message',
    'image_item',
    'duplicate',
  ],
];

/** Stages the rows as one chunk; a row's part follows from its key. */
export async function stageSearches(sql: postgres.Sql, { tag = 'tag', rows, parts = 3 }: Searches): Promise<string> {
  const stageId = randomUUID();
  const staged = rows.map((row, i) => {
    const {
      name = 'Belmar',
      state = 'FL',
      ts,
      number = null,
      status = 'Active',
      expires = null,
      image,
      imageError,
      error = null,
      raw = { license_number: number, at: ts },
    } = row;
    const key = sha256(number === null ? `${state}|${name}|${ts}` : `${state}|${number}`);
    const hash = image === undefined ? null : sha256(image);
    return [
      Number.parseInt(key.slice(0, 8), 16) % parts,
      i,
      1,
      raw,
      error && `\\x${Buffer.from(key).toString('hex')}`,
      error,
      error && 'what to mend',
      key,
      tag,
      `${state}/${i}_parse.json`,
      sha256(`file ${i}`),
      name,
      state,
      ts,
      number,
      status,
      expires,
      { at: ts },
      hash,
      hash && `images/sha256/${hash.slice(0, 2)}/${hash}.png`,
      hash && 'png',
      hash && 100 + i,
      imageError ?? null,
      imageError && 'what to mend',
      imageError && `${state}/${i}.png`,
      row.duplicate ?? null,
    ];
  });
  const errored = rows.filter(({ error }) => error).length;
  await sql`SELECT ingest.stage_chunk(${stageId}, 'search-results', 0, ${COLUMNS}, ${sql.json(staged as never)}::json, ${errored})`;
  return stageId;
}

/** Claims the batch and stages its rows. @throws Error when it is not claimed. */
export async function openSearches(sql: postgres.Sql, batch: Searches): Promise<OpenSearches> {
  const { source = 'states', tag = 'tag', batch: id = randomUUID(), backend = 'postgres', parts = 3 } = batch;
  const [opened] = await sql<{ run: { run_id: string; lease: number; claim_status: string } }[]>`
    SELECT ingest.open_import_run(${source}, ${id}, ${`hash-${id}`}, ${id}, 'search-results', 'worker', ${randomUUID()},
                                  metadata => ${sql.json({ input: { tag, backend } })}) AS run`;
  const { run_id: runId, lease, claim_status: status } = opened!.run;
  if (status !== 'claimed') throw new Error(status);
  return { runId, lease, batch, parts, stageId: await stageSearches(sql, batch) };
}

export async function upsertPart(
  sql: postgres.Sql,
  { runId, lease, stageId }: OpenSearches,
  part: number,
): Promise<Counts> {
  const [row] = await sql<
    { result: Counts }[]
  >`SELECT ingest.upsert_partition(${runId}, ${lease}, ${stageId}, 1, ${part}) AS result`;
  return row!.result;
}

/** Lands all parts, one after the other unless `atOnce`. */
export async function promote(
  sql: postgres.Sql,
  open: OpenSearches,
  order = [...Array(open.parts).keys()],
  atOnce = 1,
): Promise<Counts> {
  const results: Counts[] = [];
  for (let i = 0; i < order.length; i += atOnce)
    results.push(...(await Promise.all(order.slice(i, i + atOnce).map((part) => upsertPart(sql, open, part)))));
  return sumOf(results);
}

/** Counters and reconciliation. @throws Error when it is not valid. */
export async function settleSearches(sql: postgres.Sql, { runId, lease, batch }: OpenSearches): Promise<void> {
  await sql`SELECT ingest.record_result(${runId}, ${lease}, ${batch.rows.length}, '{}')`;
  const [row] = await sql<
    { answer: { is_valid: boolean } }[]
  >`SELECT ingest.settle_import_run(${runId}, ${lease}, ${batch.rows.length}) AS answer`;
  if (!row!.answer.is_valid) throw new Error(`not reconciled: ${JSON.stringify(row!.answer)}`);
}

/** A whole import, settled. @returns its run id. */
export async function importSearches(sql: postgres.Sql, batch: Searches): Promise<string> {
  const open = await openSearches(sql, batch);
  await promote(sql, open);
  await settleSearches(sql, open);
  return open.runId;
}

/** What a dry run of the rows counts. */
export async function dryRun(sql: postgres.Sql, batch: Searches): Promise<Counts> {
  const stageId = await stageSearches(sql, batch);
  const parts = await Promise.all(
    [...Array(batch.parts ?? 3).keys()].map(
      async (part) =>
        (
          await sql<{ result: Counts }[]>`
    SELECT ingest.count_partition('search-results', 'states', ${stageId}, 1, ${part}) AS result`
        )[0]!.result,
    ),
  );
  return sumOf(parts);
}

export function sumOf(results: readonly Counts[]): Counts {
  const sum = (of: (counts: Counts) => number): number => results.reduce((total, counts) => total + of(counts), 0);
  return {
    inserted: sum((c) => c.inserted),
    updated: sum((c) => c.updated),
    skipped: sum((c) => c.skipped),
    errored: sum((c) => c.errored),
    effects: {
      images: sum((c) => c.effects.images),
      refused: sum((c) => c.effects.refused),
      ...(results.some((c) => c.effects.conflicts) ? { conflicts: sum((c) => c.effects.conflicts ?? 0) } : {}),
    },
  };
}

/** What production has of a dataset, and the first letters of its images' hashes, in one order. */
export async function resultsOf(sql: postgres.Sql, tag = 'tag'): Promise<Record<string, unknown>[]> {
  const rows = await sql`
    SELECT r.search_state AS state, r.license_number AS number, r.search_name AS name, to_char(r.search_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS ts,
           r.license_status AS status, i.sha256 AS image, r.meta, r.raw
    FROM public.search_results r JOIN public.datasets d ON d.id = r.dataset_id LEFT JOIN public.images i ON i.search_result_id = r.id
    WHERE d.tag = ${tag} ORDER BY 1, 2, 3, 4`;
  return rows.map((row) => ({ ...row }));
}
