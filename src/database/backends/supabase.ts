/** The supabase backend: functions through PostgREST, rows as JSON, objects in Storage. */
import { createClient } from '@supabase/supabase-js';
import { limitsOf, SERVER_SILENT_MS } from '../../messages/policies.ts';
import type { Backend } from '../backend.ts';
import type { Answer, Arguments, FunctionName } from '../functions.ts';
import { serviceFetch } from '../http.ts';
import { inPieces } from './pieces.ts';
import { bucketObjects } from '../objects/bucketObjects.ts';
import type { Health } from '../rows.ts';
import { isStale, watchSchemaCache } from '../schemaCache.ts';
import { openConnection } from '../connection.ts';

export interface SupabaseOptions {
  /** Without a slash at its end. */
  readonly url: string;
  readonly serviceKey: string;
  /** Where the database itself can be asked what it has. */
  readonly databaseUrl?: string | undefined;
}

export function supabaseBackend({ url, serviceKey, databaseUrl }: SupabaseOptions): Backend {
  const rest = serviceFetch('rest');
  const client = createClient(url, serviceKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: serviceFetch('storage') },
  });

  const send = (fn: FunctionName, body: string | ReadableStream): Promise<Response> =>
    rest(`${url}/rest/v1/rpc/${fn}`, {
      method: 'POST',
      headers: {
        apikey: serviceKey,
        authorization: `Bearer ${serviceKey}`,
        'content-type': 'application/json',
        'content-profile': 'ingest',
      },
      body,
      duplex: 'half',
      // The API applies the limits that a function sets for itself; silent beyond the caller's, it is not there any more.
      signal: AbortSignal.timeout(limitsOf(fn).statement + SERVER_SILENT_MS),
    } as RequestInit);

  const cache = watchSchemaCache(async () => {
    const answer = await send('health', '{}').catch(() => undefined);
    return answer ? ((await answer.json()) as Health) : databaseUrl ? databaseHealth(databaseUrl) : undefined;
  });
  const post: typeof send = (fn, body) =>
    send(fn, body).catch(async (error: unknown) => {
      throw isStale(error) ? await cache.judge(error, fn) : error;
    });

  return {
    name: 'supabase',
    format: 'json',
    objects: bucketObjects(client),
    async call<N extends FunctionName>(fn: N, args: Arguments<N>): Promise<Answer<N>> {
      const response = await post(fn, JSON.stringify(args));
      return (response.status === 204 ? null : await response.json()) as Answer<N>;
    },
    stage: inPieces('json', async ({ stageId, kind, chunk, columns, errored, payload }, piece) => {
      // The rows are JSON already: the body is put together as text and sent as it is, neither parsed nor copied once more.
      const head = JSON.stringify({ stage_id: stageId, kind, chunk, columns, errored, ...(piece ? { piece } : {}) });
      const response = await post(
        'stage_chunk',
        ReadableStream.from([Buffer.from(`${head.slice(0, -1)},"rows":`), payload, Buffer.from('}')]),
      );
      return (await response.json()) as Answer<'stage_chunk'>;
    }),
    close: async () => {},
  };
}

async function databaseHealth(databaseUrl: string): Promise<Health | undefined> {
  const client = await openConnection(databaseUrl);
  try {
    const { rows } = await client.query<{ health: Health }>('select ingest.health() as health');
    return rows[0]?.health;
  } finally {
    await client.end().catch(() => undefined);
  }
}
