/** The supabase backend: functions through PostgREST, rows as JSON, objects in Storage. */
import { createClient } from '@supabase/supabase-js';
import { IntakeError } from '../../errors.ts';
import type { Backend, ObjectStore } from '../backend.ts';
import { sqlError } from '../sqlError.ts';
import { BUCKET } from '../objects/bucket.ts';

export interface SupabaseOptions {
  readonly url: string;
  readonly serviceKey: string;
}

const connect = (url: string, key: string) =>
  createClient(url, key, {
    db: { schema: 'ingest' },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  });

export function supabaseBackend({ url, serviceKey }: SupabaseOptions): Backend {
  const client = connect(url, serviceKey);

  async function call<T>(fn: string, args: Readonly<Record<string, unknown>>): Promise<T> {
    const { data, error, status } = await client.rpc(fn, args);
    if (error) throw sqlError(error, status);
    return data as T;
  }

  return {
    name: 'supabase',
    format: 'json',
    objects: storageObjects(client),
    call,
    async stage({ stageId, kind, chunk, columns, errored, payload }) {
      // The rows are JSON already: the body is put together as text and sent as it is, neither parsed nor copied once more.
      const head = JSON.stringify({ stage_id: stageId, kind, chunk, columns, errored });
      const body = ReadableStream.from([Buffer.from(`${head.slice(0, -1)},"rows":`), payload, Buffer.from('}')]);
      let response: Response;
      try {
        response = await fetch(`${url}/rest/v1/rpc/stage_chunk`, {
          method: 'POST',
          headers: {
            apikey: serviceKey,
            authorization: `Bearer ${serviceKey}`,
            'content-type': 'application/json',
            'content-profile': 'ingest',
          },
          body,
          duplex: 'half',
        } as RequestInit);
      } catch (error) {
        throw sqlError({ code: 'ECONNREFUSED', message: 'fetch failed', cause: error });
      }
      const answer = await response.text();
      if (!response.ok) throw sqlError(parseFault(answer), response.status);
    },
    close: async () => {},
  };
}

function parseFault(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

function storageObjects(client: ReturnType<typeof connect>): ObjectStore {
  const bucket = () => client.storage.from(BUCKET);
  return {
    async put(path, bytes, contentType = 'application/octet-stream') {
      const { error } = await bucket().upload(path, bytes, { upsert: true, contentType });
      if (error) throw storageError(error, path);
    },
    async get(path) {
      const { data, error } = await bucket().download(path);
      if (error) throw storageError(error, path);
      return Buffer.from(await data.arrayBuffer());
    },
    async list(folder) {
      const found = new Map<string, number>();
      const page = 1000;
      for (let offset = 0; ; offset += page) {
        const { data, error } = await bucket().list(folder, { limit: page, offset });
        if (error) throw storageError(error, folder);
        // The embedded Storage gives whole paths.
        for (const { name, metadata } of data)
          found.set(name.slice(name.lastIndexOf('/') + 1), Number(metadata?.['size'] ?? -1));
        if (data.length < page) return found;
      }
    },
  };
}

/** Name, size or type of an object: the same again is refused again. */
const REFUSED = new Set([400, 413, 415, 422]);

function storageError(
  cause: { message?: string; status?: number | undefined; statusCode?: string | undefined },
  path: string,
): IntakeError {
  // Storage answers most faults with 400 and puts its own status into the body.
  const status = Number(cause.statusCode) || (cause.status ?? 0);
  if (status === 404 || /not.?found/i.test(cause.message ?? '')) {
    return new IntakeError('OBJECT_MISSING', `Storage has no object ${path}`, { cause });
  }
  if (status === 401 || status === 403) {
    return new IntakeError('DATABASE_DENIED', `Storage refuses the key (${status})`, {
      cause,
      remedy: 'Check SUPABASE_SERVICE_ROLE_KEY and the bucket `imports`.',
    });
  }
  if (REFUSED.has(status))
    return new IntakeError('OBJECT_REFUSED', `Storage refuses the object (${status})`, { cause });
  return new IntakeError('STORAGE_UNAVAILABLE', `Storage does not answer (${status || 'no connection'})`, { cause });
}
