/** The postgres backend: functions over a connection pool, rows by COPY, objects in a folder. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { escapeLiteral, Pool, type PoolClient, type QueryResult } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Backend, StagedChunk } from '../backend.ts';
import { limitsOf, SERVER_SILENT_MS } from '../../messages/policies.ts';
import { folderObjects } from '../objects/folder.ts';
import { sqlError } from '../sqlError.ts';

export interface PostgresOptions {
  readonly databaseUrl: string;
  readonly objectsDir: string;
  /** Calls and COPYs at a time. */
  readonly permits?: number;
  /** How long the server may take to accept a connection. */
  readonly connectMs?: number;
}

/** As many as a worker runs activities. */
const PERMITS = 8;

/** Size of a write to the COPY stream. */
const COPY_BLOCK = 512 * 1024;

export function postgresBackend({
  databaseUrl,
  objectsDir,
  permits = PERMITS,
  connectMs = 10_000,
}: PostgresOptions): Backend {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: permits + 1, // nobody waits in the pool: its time limit is for the server's answer alone
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    application_name: 'intake',
  });
  pool.on('error', () => {}); // an idle connection broke; the next query opens another
  // Waiting for slow statements of others is no fault: it has no time limit, and callers are served in their order.
  const permit = pLimit(permits);
  // A transaction pooler keeps neither prepared statements nor settings of a session.
  const statements = new URL(databaseUrl).port === '6543' ? undefined : new Map<string, string>();

  const onConnection = <T>(work: (connection: PoolClient) => Promise<T>): Promise<T> =>
    permit(() => withConnection(pool, work));

  return {
    name: 'postgres',
    format: 'copy',
    objects: folderObjects(objectsDir),
    async call(fn, args) {
      const given = Object.entries<unknown>(args);
      const list = given.map(([name], i) => `${name} => $${i + 1}`).join(', ');
      const values = given.map(([, value]) =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
      );
      const text = `select to_jsonb(ingest.${fn}(${list})) as result`;
      const query = { text, values, query_timeout: limitsOf(fn).statement + SERVER_SILENT_MS };
      return onConnection(async (connection) => {
        if (!statements) {
          await connection.query(`begin; ${limitsFor(fn, 'set local')}`);
          const { rows } = await connection.query(query);
          await connection.query('commit');
          return rows[0].result;
        }
        await limitSession(connection, fn);
        // One name for each text: a function may be called with fewer of its arguments.
        const name = statements.get(text) ?? `${fn.slice(0, 40)}_${statements.size}`;
        statements.set(text, name);
        const { rows } = await connection.query({ ...query, name });
        return rows[0].result;
      });
    },
    stage: (chunk) => onConnection((connection) => copyChunk(connection, chunk)),
    close: () => pool.end(),
  };
}

async function withConnection<T>(pool: Pool, work: (connection: PoolClient) => Promise<T>): Promise<T> {
  const connection = await pool.connect().catch((error) => {
    throw sqlError(error);
  });
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  connection.on('error', onError);
  try {
    return await work(connection);
  } catch (error) {
    broken ??= error as Error;
    throw sqlError(error);
  } finally {
    connection.off('error', onError);
    connection.release(broken); // a connection that failed within a transaction is not used again
  }
}

/** What a connection is limited to now. */
const limited = new WeakMap<PoolClient, string>();

/** Limits what the session does next; asks the server only when it was limited otherwise. */
async function limitSession(connection: PoolClient, fn: string): Promise<void> {
  const limits = limitsFor(fn, 'set');
  if (limited.get(connection) === limits) return;
  await connection.query(limits);
  limited.set(connection, limits);
}

/** A function's own `statement_timeout` does not bind the statement that calls it. */
function limitsFor(fn: string, set: 'set' | 'set local'): string {
  const { statement, lock } = limitsOf(fn);
  return `${set} statement_timeout = ${statement}; ${set} lock_timeout = ${lock}`;
}

async function copyChunk(
  connection: PoolClient,
  { stageId, kind, table, chunk, columns, rows, errored, payload }: StagedChunk,
): Promise<void> {
  // A COPY whose client is gone can hang with its locks; only terminating it helps. The name finds it again.
  const name = escapeLiteral(`intake ${stageId} ${chunk}`);
  // One way to the server for all four.
  const results = (await connection.query(`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name} and pid <> pg_backend_pid();
    begin;
    set local application_name = ${name};
    ${limitsFor('stage_chunk', 'set local')};
    insert into ingest_stage.chunks (stage_id, kind, chunk, rows, errored)
    values (${escapeLiteral(stageId)}, ${escapeLiteral(kind)}, ${chunk}, ${rows}, ${errored}) on conflict do nothing`)) as unknown as QueryResult[];
  const rowCount = results.at(-1)?.rowCount;
  if (rowCount === 1) {
    const list = ['stage_id', 'chunk', ...columns].map((column) => `"${column}"`).join(', ');
    await pipeline(
      Readable.from(blocks(payload)),
      connection.query(copyFrom(`copy ingest_stage."${table}" (${list}) from stdin`)),
    );
  }
  await connection.query('commit');
}

function* blocks(payload: Uint8Array): Generator<Buffer> {
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let at = 0; at < buffer.length; at += COPY_BLOCK) yield buffer.subarray(at, at + COPY_BLOCK);
}
