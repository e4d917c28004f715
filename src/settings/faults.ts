/**
 * settings/: What settings mean: addresses, keys, proxies, and which of them cannot be used.
 *
 * Settings that have the right form and still cannot be used.
 */
import { accessSync, constants } from 'node:fs';
import { parseDatabaseAddress } from './databaseAddress.ts';
import { keyFault, parseSupabaseUrl } from './supabaseAddress.ts';

const SECRET_KEYS = ['SUPABASE_SERVICE_ROLE_KEY', 'SUPABASE_SECRET_KEY'];
const PUBLIC_KEYS = ['SUPABASE_ANON_KEY', 'SUPABASE_PUBLISHABLE_KEY'];
const PROXIES = ['http_proxy', 'https_proxy', 'grpc_proxy'];
const FILES = ['TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'];

/** What is wrong with each setting, by itself or beside others; never its value. */
export function settingFaults(given: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): string[] {
  const faults: string[] = [];
  const { DATABASE_URL: database, SUPABASE_URL: supabase } = given;
  const address = database === undefined ? undefined : parseDatabaseAddress(database, env);
  if (typeof address === 'string') faults.push(`DATABASE_URL: ${address}`);
  else
    for (const [name, path] of Object.entries({
      sslrootcert: address?.sslRootCert,
      sslcert: address?.sslCert,
      sslkey: address?.sslKey,
    }))
      if (path && path !== 'system' && !isReadable(path))
        faults.push(`DATABASE_URL: the file of ${name} cannot be read`);
  const url = supabase === undefined ? undefined : parseSupabaseUrl(supabase);
  if (typeof url === 'string') faults.push(`SUPABASE_URL: ${url}`);
  for (const [names, want] of [
    [SECRET_KEYS, 'secret'],
    [PUBLIC_KEYS, 'public'],
  ] as const)
    for (const name of names) {
      const key = given[name];
      const fault = key && keyFault(key, { want, url: typeof url === 'object' ? url.url : undefined });
      if (fault) faults.push(`${name}: ${fault}`);
    }
  for (const name of PROXIES) {
    const proxy = env[name] || env[name.toUpperCase()];
    if (proxy && !isProxy(proxy)) faults.push(`${name}: write it as http://host:port`);
  }
  if (supabase && !SECRET_KEYS.some((name) => given[name]))
    faults.push('SUPABASE_SERVICE_ROLE_KEY: needed with SUPABASE_URL');
  if (!given['TEMPORAL_TLS_CERT'] !== !given['TEMPORAL_TLS_KEY'])
    faults.push('TEMPORAL_TLS_CERT, TEMPORAL_TLS_KEY: give both');
  for (const name of FILES)
    if (given[name] && !isReadable(given[name]))
      faults.push(`${name}: the file cannot be read; give the path of a PEM file`);
  if (given['INTAKE_BACKEND'] === 'supabase' && database && !supabase)
    faults.push('SUPABASE_URL: needed for the supabase backend');
  if (given['INTAKE_BACKEND']?.startsWith('postgres') && supabase && !database)
    faults.push('DATABASE_URL: needed for the postgres backend');
  return faults;
}

function isProxy(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text.includes('://') ? text : `http://${text}`).protocol);
  } catch {
    return false;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
