/** Program: `api --dir DIR TAG` prepares the embedded database, then serves Supabase's API on it until SIGTERM. */
import { join } from 'node:path';
import { createLogger } from '../observability/log.ts';
import { giveToOwner } from './databaseOwner.ts';
import { adminUrlOf, databaseUrlOf } from './environment.ts';
import { readSettings } from './state.ts';
import { awaitDatabase, setUpDatabase, startSupabaseApi } from './supabaseApi.ts';

const dir = process.argv[3];
const settings = dir === undefined ? undefined : readSettings(dir);
if (dir === undefined || !settings) throw new Error('usage: api --dir DIR TAG, with DIR/stack.json');

// What the API prints of a database error may quote a row: our log keeps its code and place only.
const log = createLogger('warn');
const print = (...args: unknown[]): void => {
  const err = args.find((arg) => typeof arg === 'object' && arg !== null);
  log.warn({ ...(err ? { err } : {}) }, err ? 'the API met an error' : args.join(' '));
};
Object.assign(console, { error: print, warn: print, log: () => undefined });

try {
  const databaseUrl = databaseUrlOf(settings);
  await awaitDatabase(adminUrlOf(settings), 60_000);
  await giveToOwner(adminUrlOf(settings), settings.ownerPassword);
  await setUpDatabase(databaseUrl, (line) => console.error(line));
  const { serviceRoleKey, anonKey, jwtSecret, ports } = settings;
  const storageDir = join(dir, 'storage');
  const api = await startSupabaseApi({ databaseUrl, serviceRoleKey, anonKey, jwtSecret, storageDir, port: ports.api });
  process.on('SIGTERM', () => void api.stop().finally(() => process.exit(0)));
} catch (error) {
  // The last line of the log is what the operator is shown.
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  process.exit(1);
}
