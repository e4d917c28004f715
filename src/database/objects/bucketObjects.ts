/** Objects of the supabase backend: Storage's private bucket. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { IntakeError } from '../../errors.ts';
import type { ObjectStore } from '../backend.ts';
import { transportFault } from '../transport.ts';
import { BUCKET } from '../backend.ts';
import { storedAlready } from './storageFault.ts';

const PAGE = 1000;

/** @param client whose requests go through `serviceFetch('storage')`. */
export function bucketObjects({ storage }: Pick<SupabaseClient, 'storage'>): ObjectStore {
  const bucket = () => storage.from(BUCKET);
  return {
    shared: true,
    identity: () => Promise.resolve(undefined), // its list of objects is a table of the database
    async put(path, bytes, contentType = 'application/octet-stream') {
      const { error } = await bucket().upload(path, bytes, { upsert: true, contentType });
      const fault = error && storageError(error, path);
      // Paths are made of their content's hash: what is there is this.
      if (fault && !storedAlready(fault)) throw fault;
    },
    async get(path) {
      const { data, error } = await bucket()
        .download(path)
        .catch((cause: unknown) => ({ data: null, error: cause as Error })); // its body broke off
      if (data === null) throw storageError(error, path);
      return Buffer.from(await data.arrayBuffer());
    },
    async remove(path) {
      const { error } = await bucket().remove([path]);
      if (error) throw storageError(error, path);
    },
    async list(folder) {
      const found = new Map<string, number>();
      for (let offset = 0; ; offset += PAGE) {
        const { data, error } = await bucket().list(folder, { limit: PAGE, offset });
        if (error) throw storageError(error, folder);
        // The embedded Storage gives whole paths.
        for (const { name, metadata } of data)
          found.set(name.slice(name.lastIndexOf('/') + 1), Number(metadata?.['size'] ?? -1));
        if (data.length < PAGE) return found;
      }
    },
  };
}

/** storage-js wraps what its `fetch` throws. */
function storageError(error: Error, path: string): IntakeError {
  const cause = 'originalError' in error ? error.originalError : error;
  if (!(cause instanceof IntakeError))
    return transportFault(cause, { who: 'Storage', code: 'STORAGE_UNAVAILABLE', setting: 'SUPABASE_URL' });
  if (cause.code !== 'OBJECT_MISSING' && cause.code !== 'OBJECT_REFUSED') return cause;
  return new IntakeError(cause.code, `${cause.message}: ${path}`, { cause: cause.cause });
}
