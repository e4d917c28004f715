/** The postgres backend: functions over a connection pool, rows by COPY, objects in a folder. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { escapeLiteral, Pool, type PoolClient, type QueryConfig, type QueryResult } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Backend, StagedChunk } from '../backend.ts';
import type { Answer, Arguments, FunctionName } from '../functions.ts';
import { limitsOf, SERVER_SILENT_MS } from '../../messages/policies.ts';
import { folderObjects } from '../objects/folder.ts';
import { connectionConfig, databaseAddress, databaseFault } from '../connection.ts';
import { interruption } from '../interruption.ts';
import { isUnprepared } from '../pooler.ts';
import type { Piece, StagedPart } from '../rows.ts';
import { inPieces } from './pieces.ts';

export interface PostgresOptions {
  readonly databaseUrl: string;
  readonly objectsDir: string;
  /** Whether that is the folder of all workers. */
  readonly objectsShared?: boolean | undefined;
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
  objectsShared,
  permits = PERMITS,
  connectMs = 10_000,
}: PostgresOptions): Backend {
  const address = databaseAddress(databaseUrl);
  let opened: Promise<Pool> | undefined;
  const openPool = async (): Promise<Pool> => {
    const pool = new Pool({
      ...(await connectionConfig(databaseUrl)),
      max: permits + 1, // nobody waits in the pool: its time limit is for the server's answer alone
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
    });
    pool.on('error', () => {}); // an idle connection broke; the next query opens another
    return pool;
  };
  // Waiting for slow statements of others is no fault: it has no time limit, and callers are served in their order.
  const permit = pLimit(permits);
  // Until a pooler answers that it keeps no prepared statements.
  let named = true;

  const onConnection = async <T>(work: (connection: PoolClient) => Promise<T>): Promise<T> => {
    opened ??= openPool();
    const pool = await opened.catch((error: unknown) => {
      opened = undefined; // the file of a certificate may come to be there
      throw error;
    });
    return withConnection(pool, work);
  };
  /** One permit long. */
  const permitted = <T>(work: () => Promise<T>): Promise<T> =>
    permit(work).catch(async (error: unknown) => {
      throw await databaseFault(error, address);
    });

  return {
    name: 'postgres',
    format: 'copy',
    objects: folderObjects(objectsDir, objectsShared),
    async call<N extends FunctionName>(fn: N, args: Arguments<N>): Promise<Answer<N>> {
      const given = Object.entries<unknown>(args);
      const list = given.map(([name], i) => `${name} => $${i + 1}`).join(', ');
      const values = given.map(([, value]) =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
      );
      const text = `select to_jsonb(ingest.${fn}(${list})) as result`;
      const query = { text, values, query_timeout: limitsOf(fn).statement + SERVER_SILENT_MS };
      const ask = (prepared: boolean) =>
        onConnection((connection) =>
          limitedQuery<Answer<N>>(connection, fn, prepared ? { ...query, name: statementName(fn, text) } : query),
        );
      return permitted(() => {
        const prepared = named;
        return ask(prepared).catch((error: unknown) => {
          if (!prepared || !isUnprepared(error)) throw error;
          named = false; // nothing ran: it is refused before it begins
          return ask(false);
        });
      });
    },
    stage: inPieces('copy', (chunk, piece) =>
      permitted(() => onConnection((connection) => copyChunk(connection, chunk, piece))),
    ),
    close: async () => (await opened?.catch(() => undefined))?.end(),
  };
}

/** One name for each text: through a pooler a server knows what other processes have prepared. */
const statementName = (fn: string, text: string): string =>
  `${fn.slice(0, 40)}_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;

/** Runs `work` on a connection; its statement is cancelled when nobody waits for the answer any more. */
async function withConnection<T>(pool: Pool, work: (connection: PoolClient) => Promise<T>): Promise<T> {
  const signal = interruption();
  const connection = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  const onAbort = () => {
    broken ??= new Error('interrupted'); // the word may come late: to nobody else's statement
    void cancelStatement(pool, connection);
  };
  connection.on('error', onError);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(connection);
  } catch (error) {
    broken ??= error as Error;
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    connection.off('error', onError);
    connection.release(broken); // a connection that failed within a transaction is not used again
  }
}

/** Asks the server over another connection. Behind a pooler the process is not known: there its time limit ends a statement. */
async function cancelStatement(pool: Pool, connection: PoolClient): Promise<void> {
  if (pooledConnections.get(connection) !== false) return;
  const { processID } = connection as unknown as { processID: number };
  await pool.query('select pg_cancel_backend($1)', [processID]).catch(() => undefined);
}

/** A call under its limits: of the session where it is ours alone, else of a transaction. */
async function limitedQuery<T>(connection: PoolClient, fn: string, query: QueryConfig): Promise<T> {
  const pooled = await isPooled(connection);
  if (pooled) await connection.query(`begin; ${limitsFor(fn, 'set local')}`);
  else await limitSession(connection, fn);
  const { rows } = await connection.query<{ result: T }>(query);
  if (pooled) await connection.query('commit');
  return rows[0]!.result;
}

const pooledConnections = new WeakMap<PoolClient, boolean>();

/** Whether somebody stands between: then the process that answers is another than the one that let us in. */
async function isPooled(connection: PoolClient): Promise<boolean> {
  const known = pooledConnections.get(connection);
  if (known !== undefined) return known;
  const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pooled = rows[0]?.pid !== (connection as unknown as { processID: number | null }).processID;
  pooledConnections.set(connection, pooled);
  return pooled;
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
  piece?: Piece,
): Promise<StagedPart> {
  // A COPY whose client is gone can hang with its locks; only terminating it helps. The name finds it again.
  const name = escapeLiteral(`intake ${stageId} ${chunk}`);
  const stage = `${escapeLiteral(stageId)}::uuid`;
  const part = piece ? `${escapeLiteral(JSON.stringify(piece))}::jsonb` : 'null';
  // One way to the server for all four.
  const begun = (await connection.query(`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name} and pid <> pg_backend_pid();
    begin;
    set local application_name = ${name};
    ${limitsFor('stage_chunk', 'set local')};
    select ${own('begin_piece')}(${stage}, ${escapeLiteral(kind)}, ${chunk}, ${rows}, ${errored}, ${part}) as begun`)) as unknown as QueryResult[];
  if (lastOf<{ begun: boolean }>(begun).begun) {
    const list = ['stage_id', 'chunk', ...columns].map((column) => `"${column}"`).join(', ');
    await pipeline(
      Readable.from(blocks(payload)),
      connection.query(copyFrom(`copy ingest_stage."${table}" (${list}) from stdin`)),
    );
  }
  const ended = (await connection.query(
    `commit; select ${own('staged_chunk')}(${stage}, ${chunk}, ${part}) as staged`,
  )) as unknown as QueryResult[];
  return lastOf<{ staged: StagedPart }>(ended).staged;
}

/** A function in a statement of several. */
const own = (fn: FunctionName): string => `ingest.${fn}`;

const lastOf = <T>(results: readonly QueryResult[]): T => results.at(-1)!.rows[0] as T;

function* blocks(payload: Uint8Array): Generator<Buffer> {
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  for (let at = 0; at < buffer.length; at += COPY_BLOCK) yield buffer.subarray(at, at + COPY_BLOCK);
}
