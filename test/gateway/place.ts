/** A gateway on a database, a task queue and a port of its own, tenants with their secrets, and clients of all manners. */
import { connect as connectSocket, type Socket } from 'node:net';
import type postgres from 'postgres';
import type { BackendName } from '../../src/config.ts';
import { loadConfig } from '../../src/config.ts';
import { startGateway, type GatewayOptions, type RunningGateway } from '../../src/gateway/server.ts';
import { createLogger } from '../../src/observability/log.ts';
import { openPlace, type Env, type Place } from '../support/imports.ts';
import { createDatabase, sharedStack, startApi, type TestApi } from '../support/stack.ts';

export interface GatewayPlace {
  readonly place: Place;
  readonly env: Env;
  /** Supabase's API, where the backend or `signIn` wants it. */
  readonly api: TestApi | undefined;
  /** Another gateway on the same database; `env` differs in what is given here. */
  open(options?: GatewayOptions, env?: Env): Promise<RunningGateway>;
  close(): Promise<void>;
}

export const secretOf = (tenant: string): string => `secret-of-${tenant}`;

/** @param signIn whether people can sign in. */
export async function openGatewayPlace(
  tenants: readonly string[],
  backend: BackendName = 'postgres',
  signIn = backend === 'supabase',
): Promise<GatewayPlace> {
  const { temporal } = await sharedStack();
  const database = await createDatabase();
  const api = signIn ? await startApi(database.databaseUrl) : undefined;
  const place = await openPlace({
    temporal,
    databaseUrl: database.databaseUrl,
    ...(api && backend === 'supabase' ? { supabase: api } : {}),
  });
  const supabase: Env = api
    ? { SUPABASE_URL: api.url, SUPABASE_SERVICE_ROLE_KEY: api.serviceRoleKey, SUPABASE_ANON_KEY: api.anonKey }
    : {};
  const env = {
    ...place.env,
    ...supabase,
    INTAKE_PORT: '0',
    PROJECTS_IMPORT_BEARER: tenants.map((tenant) => `${tenant}=${secretOf(tenant)}`).join(','),
  };
  const gateways: RunningGateway[] = [];
  return {
    place,
    env,
    api,
    async open(options = {}, more = {}) {
      const gateway = await startGateway(loadConfig({ ...env, ...more }), createLogger('fatal'), options);
      gateways.push(gateway);
      return gateway;
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.shutdown()));
      await place.close();
      await api?.stop();
      await database.drop();
    },
  };
}

/** @returns how often a batch was merged since the table `test_merges` was emptied. */
export async function countMerges(sql: postgres.Sql): Promise<() => Promise<number>> {
  await sql.unsafe(`
    CREATE TABLE test_merges (n integer);
    CREATE FUNCTION test_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.test_merges VALUES (1); RETURN NULL; END $$;
    CREATE TRIGGER test_count AFTER UPDATE OF validation ON public.staging_imports FOR EACH ROW EXECUTE FUNCTION test_count()`);
  return async () => (await sql`SELECT count(*)::int AS n FROM test_merges`)[0]!['n'] as number;
}

export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: {
    readonly batch_id: string;
    readonly correlation_id: string;
    readonly tenant_id: string;
    readonly replayed: boolean;
    readonly ignored_fields: readonly string[];
    readonly remarks?: readonly object[];
    readonly metrics: Record<string, number | string>;
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly path: string | null;
      readonly remedy: string;
      readonly issues?: readonly { readonly path: string }[];
    };
  };
}

export interface PostOptions {
  readonly bearer?: string;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

/** `S<from>` to `S<from + count - 1>`. */
export const rowsOf = (count: number, from = 0, cells: object = {}): object[] =>
  Array.from({ length: count }, (_, i) => ({ stage_application: `S${from + i}`, ...cells }));

export const batchOf = (tenant: string, rows: unknown, more: object = {}): object => ({
  tenant_id: tenant,
  batch_id: 'batch 1',
  rows,
  ...more,
});

/** Posts a body as it is, or a batch as JSON with the secret of its tenant. */
export async function post(
  { url }: RunningGateway,
  body: object | string | Uint8Array,
  { bearer, headers = {}, path = '/import-projects' }: PostOptions = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const secret = bearer ?? secretOf(raw ? 'A' : String((body as { tenant_id?: unknown }).tenant_id));
  const response = await fetch(url + path, {
    method: 'POST',
    body: (raw ? body : JSON.stringify(body)) as string,
    headers: {
      'content-type': 'application/json',
      ...(secret ? { authorization: `Bearer ${secret}` } : {}),
      ...headers,
    },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

/** A connection that has sent the head of a batch of tenant A and nothing, or not all, of its body. */
export function openSlow({ url }: RunningGateway, length: number, begun = ''): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(port), hostname, () => {
      const head = `POST /import-projects HTTP/1.1\r\nhost: here\r\nauthorization: Bearer ${secretOf('A')}\r\ncontent-type: application/json\r\n`;
      socket.write(`${head}content-length: ${length}\r\n\r\n${begun}`, () => resolve(socket));
    });
    socket.once('error', reject);
  });
}
