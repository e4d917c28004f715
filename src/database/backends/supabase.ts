/** The supabase backend: functions through PostgREST, rows as JSON, objects in Storage. */
import { createClient } from '@supabase/supabase-js';
import { limitsOf, SERVER_SILENT_MS } from '../../messages/policies.ts';
import type { Backend } from '../backend.ts';
import type { Answer, Arguments, FunctionName } from '../functions.ts';
import { serviceFetch } from '../http.ts';
import { bucketObjects } from '../objects/bucketObjects.ts';

export interface SupabaseOptions {
  /** Without a slash at its end. */
  readonly url: string;
  readonly serviceKey: string;
}

export function supabaseBackend({ url, serviceKey }: SupabaseOptions): Backend {
  const rest = serviceFetch('rest');
  const client = createClient(url, serviceKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: serviceFetch('storage') },
  });

  const post = (fn: FunctionName, body: string | ReadableStream): Promise<Response> =>
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

  return {
    name: 'supabase',
    format: 'json',
    objects: bucketObjects(client),
    async call<N extends FunctionName>(fn: N, args: Arguments<N>): Promise<Answer<N>> {
      const response = await post(fn, JSON.stringify(args));
      return (response.status === 204 ? null : await response.json()) as Answer<N>;
    },
    async stage({ stageId, kind, chunk, columns, errored, payload }) {
      // The rows are JSON already: the body is put together as text and sent as it is, neither parsed nor copied once more.
      const head = JSON.stringify({ stage_id: stageId, kind, chunk, columns, errored });
      await post(
        'stage_chunk',
        ReadableStream.from([Buffer.from(`${head.slice(0, -1)},"rows":`), payload, Buffer.from('}')]),
      );
    },
    close: async () => {},
  };
}
