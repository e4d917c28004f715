/** Which database a command or a worker has: the address may be called otherwise on every host. */
import type { Backend } from './backend.ts';

/** Nothing where the server does not say. */
export async function databaseOf(backend: Pick<Backend, 'call'>): Promise<{ databaseId?: string }> {
  const databaseId = await backend.call('database_identity', {});
  return databaseId === null ? {} : { databaseId };
}
