/** A dashboard on a database of its own, with its API, a worker and people. */
import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config.ts';
import { startGateway, type RunningGateway } from '../../src/gateway/server.ts';
import { startImport } from '../../src/imports/start.ts';
import { createLogger } from '../../src/observability/log.ts';
import { openPlace, spawnWorker, type Place, type WorkerProcess } from '../support/imports.ts';
import { createDatabase, sharedStack, startApi, type TestApi } from '../support/stack.ts';

export const PASSWORD = 'correct horse battery staple';
export type Role = 'operator' | 'admin' | 'viewer';

export interface DashboardPlace {
  readonly place: Place;
  readonly api: TestApi;
  readonly gateway: RunningGateway;
  /** Signs somebody up, with a role. @returns their address. */
  person(role?: Role, tenant?: string): Promise<string>;
  /** Imports plaintiffs to the end. @returns the run's id. */
  imported(text: string, name: string): Promise<string>;
  /** Starts an import that takes some seconds. @returns its run's id, once it is claimed. */
  slow(name: string): Promise<string>;
  close(): Promise<void>;
}

/** The API prints what the database refuses; here that is often what is asked for. @returns what ends it. */
export function hushRefusals(): () => void {
  const print = console.error;
  console.error = (...args: unknown[]) => {
    if (!args.some((arg) => (arg as { code?: unknown } | null)?.code === '42501')) print(...args);
  };
  return () => void (console.error = print);
}

/** @param config changes of the gateway's environment. */
export async function openDashboard(config: Readonly<Record<string, string>> = {}): Promise<DashboardPlace> {
  const endHush = hushRefusals();
  const { temporal, temporalUi } = await sharedStack();
  const database = await createDatabase();
  const api = await startApi(database.databaseUrl);
  const place = await openPlace({ temporal, databaseUrl: database.databaseUrl });
  const worker: WorkerProcess = spawnWorker(place.env);
  const gateway = await startGateway(
    loadConfig({
      ...place.env,
      INTAKE_PORT: '0',
      INTAKE_TEMPORAL_UI: temporalUi,
      SUPABASE_URL: api.url,
      SUPABASE_SERVICE_ROLE_KEY: api.serviceRoleKey,
      SUPABASE_ANON_KEY: api.anonKey,
      ...config,
    }),
    createLogger('fatal'),
  );
  const { sql } = place;
  return {
    place,
    api,
    gateway,
    async person(role, tenant) {
      const email = `${role ?? 'nobody'}-${randomUUID().slice(0, 8)}@example.com`;
      const response = await fetch(`${api.url}/auth/v1/admin/users`, {
        method: 'POST',
        headers: {
          apikey: api.serviceRoleKey,
          authorization: `Bearer ${api.serviceRoleKey}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ email, password: PASSWORD }),
      });
      const user = (await response.json()) as { id: string };
      if (role)
        await sql`INSERT INTO public.user_roles (user_id, role, tenant_id) VALUES (${user.id}, ${role}, ${tenant ?? null})`;
      return email;
    },
    async imported(text, name) {
      const report = await place.run(await place.input({ path: await place.file(text, name) }));
      return report.runId!;
    },
    async slow(name) {
      const rows = Array.from({ length: 12_000 }, (_, i) => `${name} Holdings ${i},office${i}@${name}.example.com`);
      const path = await place.file(`plaintiff_name,email\n${rows.join('\n')}\n`, `${name}.csv`);
      await startImport(place.client, await place.input({ path }, { chunkBytes: 4096, window: 1 }));
      for (;;) {
        const [run] = await sql<{ id: string }[]>`SELECT id FROM ingest.import_runs WHERE filename = ${`${name}.csv`}`;
        if (run) return run.id;
        await new Promise((wake) => setTimeout(wake, 50));
      }
    },
    async close() {
      await gateway.shutdown();
      await worker.stop();
      await place.close();
      await api.stop();
      await database.drop();
      endHush();
    },
  };
}
