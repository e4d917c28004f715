/** Supabase's API on a plain PostgreSQL: REST, Auth and Storage by `@supabase/lite`. For the embedded stack and tests only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { App, SUPABASE_AUTH_HELPERS_SQL, getAuthSchemaSql, getStorageSchemaSql, setExperimental } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import postgres from 'postgres';
import { migrate } from '../database/migrate.ts';
import { isLoopback } from '../settings/proxy.ts';
import { API_ROLES_SQL } from './databaseOwner.ts';
import { createObjectStore } from './objectStore.ts';
import { serveAuth, type Handler } from './supabaseAuth.ts';

/** Only the API's own schemas and roles: a database that has them is left alone. */
const ROLES_SQL = `${API_ROLES_SQL};
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;`;
const GRANTS_SQL = `
GRANT USAGE ON SCHEMA auth, storage TO anon, authenticated, service_role;
GRANT ALL ON ALL TABLES IN SCHEMA auth, storage TO service_role;
GRANT ALL ON ALL TABLES IN SCHEMA storage TO anon, authenticated;`;

export interface ApiOptions {
  readonly databaseUrl: string;
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  readonly jwtSecret: string;
  readonly storageDir: string;
  /** 0: a free one. */
  readonly port: number;
}

export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

/** Makes a database what a Supabase project is to Intake: roles, auth, storage, every migration. Repeatable. */
export async function setUpDatabase(databaseUrl: string, onStep?: (line: string) => void): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    const [present] = await sql`SELECT to_regclass('storage.objects') IS NOT NULL AS storage`;
    if (!present?.['storage']) {
      const parts = [ROLES_SQL, SUPABASE_AUTH_HELPERS_SQL, getAuthSchemaSql(), getStorageSchemaSql(), GRANTS_SQL];
      await sql.begin((transaction) => transaction.unsafe(parts.join(';\n')));
    }
    await migrate(databaseUrl, onStep ? { onStep } : {});
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Waits until the database takes connections, as after its start; while it recovers from a crash without a limit. Other errors
 * are thrown at once.
 */
export async function awaitDatabase(databaseUrl: string, timeoutMs: number): Promise<void> {
  let deadline = Date.now() + timeoutMs;
  for (;;) {
    const sql = postgres(databaseUrl, { max: 1, connect_timeout: 5 });
    try {
      await sql`SELECT 1`;
      return;
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (code === '57P03') deadline = Date.now() + timeoutMs;
      const starting = ['57P03', 'ECONNREFUSED', 'ECONNRESET', 'CONNECTION_CLOSED'].includes(code);
      if (!starting || Date.now() > deadline) throw error;
      await sleep(50);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

/** SQLSTATEs that `@supabase/lite` answers with by itself. */
const CARRIED = /^(42|22|21|53|55|PT|PGRST|23505|23503|23502|25006)/;

/**
 * `@supabase/lite` answers with most SQLSTATEs as PostgREST does, and with `SUP` for the rest; those it is told in the form of an
 * error that names its own answer (PostgREST's RAISE SQLSTATE 'PGRST').
 */
function withSqlState(error: unknown): unknown {
  const { code, message, detail, hint } = error as { code?: unknown; message: string; detail?: string; hint?: string };
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || (CARRIED.test(code) && code !== '42P01')) return error;
  const answer = { code, message, details: detail ?? null, hint: hint ?? null };
  return Object.assign(new Error(message), {
    code: 'PGRST',
    message: JSON.stringify(answer),
    detail: JSON.stringify({ status: code === 'P0001' ? 400 : 500, headers: {} }),
  });
}

/** Serves the API on 127.0.0.1 for a database that is set up. */
export async function startSupabaseApi(options: ApiOptions): Promise<RunningApi> {
  setExperimental('storage', true);
  // Its driver encodes json that is a string already a second time.
  const json = (oid: number) => ({
    to: oid,
    from: [oid],
    serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
    parse: (value: string) => JSON.parse(value) as unknown,
  });
  const types = { json: json(114), jsonb: json(3802) };
  const connection = createPostgresConnection({
    url: options.databaseUrl,
    postgresOptions: { max: 10, onnotice: () => undefined, types },
  });
  connection.normalizeDbError = withSqlState;
  const app = new App({
    connection,
    auth: {
      enabled: true,
      secret_key: options.serviceRoleKey,
      publishable_key: options.anonKey,
      jwt_secret: options.jwtSecret,
    },
    api: { schemas: ['public', 'ingest'] },
    storage: { enabled: true },
  });
  // Or its first request would grant anon and authenticated all rights on all tables; what they need, migrations grant.
  Object.assign(connection, { rlsState: 'active' });
  app._storageAdapter = createObjectStore(options.storageDir);
  await app.init();
  // Storage completes its tables at its first request: two first ones at once would collide.
  await app.fetch(
    new Request('http://127.0.0.1/storage/v1/bucket', {
      headers: { apikey: options.serviceRoleKey, authorization: `Bearer ${options.serviceRoleKey}` },
    }),
  );
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: (request) => answer(request, options, (passed) => app.fetch(passed)),
        hostname: '127.0.0.1',
        port: options.port,
      },
      ({ port }) =>
        resolve({
          url: `http://127.0.0.1:${port}`,
          stop: async () => {
            await new Promise((done) => {
              server.close(done);
              if ('closeAllConnections' in server) server.closeAllConnections();
            });
            await connection.close();
          },
        }),
    );
    server.once('error', reject);
  });
}

function answer(request: Request, options: ApiOptions, library: Handler): Response | Promise<Response> {
  if (!isServed(request)) return Response.json({ message: 'Not found' }, { status: 404 });
  return new URL(request.url).pathname.startsWith('/auth/') ? serveAuth(request, options, library) : library(request);
}

/**
 * Whether a request is for one of the three services. The library serves more, its settings with the password of the database
 * among them; and a page whose name leads to this machine (DNS rebinding) sends its own name.
 */
function isServed(request: Request): boolean {
  const { host, pathname } = new URL(request.url);
  return isLoopback(host) && /^\/(?:rest|auth|storage)\/v1(?:\/|$)/.test(pathname);
}
