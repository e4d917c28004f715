/** The database that a command reads and writes, as one short text that never holds a login. */
import { parseDatabaseAddress } from './databaseAddress.ts';

export interface Target {
  readonly backend: 'postgres' | 'supabase';
  readonly databaseUrl: string | undefined;
  readonly supabase: { readonly url: string } | undefined;
  /** Its name among several: dev, prod, embedded. */
  readonly environment: string | undefined;
}

const USUAL_PORT = 5432;

/** `postgres at db.example.com/app (prod)`, `supabase at abc.supabase.co (prod)`. */
export function targetText({ backend, databaseUrl, supabase, environment }: Target): string {
  const place = backend === 'supabase' ? supabase && new URL(supabase.url).host : databaseUrl && placeOf(databaseUrl);
  return `${backend} at ${place ?? 'nowhere'}${environment ? ` (${environment})` : ''}`;
}

function placeOf(url: string): string {
  const address = parseDatabaseAddress(url);
  if (typeof address === 'string') return 'an address that cannot be read';
  const { host, port, database, user } = address;
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${shown}${port === USUAL_PORT || host.startsWith('/') ? '' : `:${port}`}/${database ?? user ?? ''}`;
}
