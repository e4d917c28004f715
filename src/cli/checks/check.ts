/**
 * cli/checks/: What `intake doctor` and `intake smoke` ask.
 *
 * The checks of `intake doctor`: each asks one thing that an import needs.
 */
import { createRequire } from 'node:module';
import type { Backend } from '../../database/backend.ts';
import { openConnection } from '../../database/connection.ts';
import { serviceFetch } from '../../database/http.ts';
import { missingFunctions, otherFunctions } from '../../database/damage.ts';
import { sqlError } from '../../database/sqlError.ts';
import { IntakeError } from '../../errors.ts';
import type { Health } from '../../database/rows.ts';
import { listMigrations } from '../../database/migrations.ts';
import { errorDocument, knownError } from '../fault.ts';
import { KINDS } from '../../kinds/index.ts';
import { idleSettings } from '../../settings/idle.ts';
import { RIGHTS_QUERY, rightsFaults, type RightsRow } from '../../database/rights.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

/** Functions in schema public that runbook 000 names. */
const RUNBOOK_FUNCTIONS = ['queue_job', 'pgmq_delete', 'set_enforcement_stage'];
/** A claim is judged by the database's clock, a report by the host's: more than this confuses operators. */
const SKEW_MS = 5_000;

/** Runs one check; what it throws is its finding. */
export async function check(name: string, ask: () => Promise<string> | string): Promise<Check> {
  try {
    return { name, ok: true, detail: await ask(), remedy: null };
  } catch (error) {
    const { message, remedy } = errorDocument(knownError(error));
    return { name, ok: false, detail: message, remedy };
  }
}

export const failed = (message: string, remedy: string) => new IntakeError('CONFIG_INVALID', message, { remedy });

export const checkIntake = (): Promise<Check> =>
  check(
    'intake',
    () => `Intake ${(createRequire(import.meta.url)('../../../package.json') as { version: string }).version}`,
  );

export const checkNode = (): Promise<Check> =>
  check('node', () => {
    if (Number(process.versions.node.split('.')[0]) < 24)
      throw failed(
        `Node ${process.versions.node}`,
        'Use Node 24 or newer; in a clone `node scripts/install.mjs` brings it.',
      );
    return `Node ${process.versions.node}`;
  });

/** Nothing where each setting that was given counts. */
export async function checkSettings(): Promise<Check[]> {
  const idle = idleSettings(process.env);
  return idle.length > 0 ? [await check('settings', () => idle.join('; '))] : [];
}

/** The database through one backend: reachable and, with `inside`, migrated, its functions there, its clock right. */
export async function checkBackend(
  name: 'database' | 'supabase',
  open: () => Promise<Backend>,
  inside = true,
): Promise<Check[]> {
  let health: Health | undefined;
  const checks = [
    await check(name, async () => {
      health = await (await open()).call('health', {});
      return name === 'database'
        ? `PostgreSQL ${health.version}`
        : `the API exposes schema ingest (PostgreSQL ${health.version})`;
    }),
  ];
  const found = health;
  if (!found || !inside) return checks;
  checks.push(
    await check('migrations', () => {
      const pending = listMigrations().filter(({ version }) => !found.migrations.includes(version));
      if (pending.length > 0)
        throw failed(`Pending: ${pending.map((migration) => migration.version).join(', ')}`, 'Run `intake migrate`.');
      return `${found.migrations.length} applied, none pending`;
    }),
  );
  checks.push(
    await check('functions', () => {
      const missing = missingFunctions(found);
      if (missing.length > 0) throw failed(`Missing in schema ingest: ${missing.join(', ')}`, 'Run `intake migrate`.');
      const others = otherFunctions(found);
      if (others.length > 0)
        throw failed(
          `Other arguments than this Intake's, in schema ingest: ${others.join(', ')}`,
          'Run `intake migrate`.',
        );
      const kinds = KINDS.filter(({ name }) => !found.kinds.includes(name)).map(({ name }) => name);
      if (kinds.length > 0) throw failed(`Kinds that are not registered: ${kinds.join(', ')}`, 'Run `intake migrate`.');
      return `${Object.keys(found.functions).length} in schema ingest`;
    }),
  );
  checks.push(
    await check('clock', async () => {
      const asked = Date.now();
      const { now } = await (await open()).call('health', {});
      const skew = Date.parse(now) - (asked + Date.now()) / 2;
      if (Math.abs(skew) > SKEW_MS)
        throw failed(`The database is ${(skew / 1000).toFixed(1)} s off this host`, 'Synchronize the clocks (NTP).');
      return `${Math.abs(Math.round(skew))} ms between host and database`;
    }),
  );
  return checks;
}

/** What jobs need, for information: without the functions an import goes on with what it has. */
export function checkJobs(databaseUrl: string): Promise<Check> {
  return check('jobs', async () => {
    const client = await openConnection(databaseUrl, 'intake doctor');
    try {
      const {
        rows: [found],
      } = await client.query<{ functions: string[]; pgmq: string | null; stand_in: boolean }>(
        `select array(select distinct p.proname::text from pg_catalog.pg_proc p
                      where p.pronamespace = 'public'::regnamespace and p.proname = any ($1)) as functions,
                (select e.extversion from pg_catalog.pg_extension e where e.extname = 'pgmq') as pgmq,
                to_regclass('public.queue_messages') is not null as stand_in`,
        [RUNBOOK_FUNCTIONS],
      );
      const { functions = [], pgmq = null, stand_in = false } = found ?? {};
      const missing = RUNBOOK_FUNCTIONS.filter((name) => !functions.includes(name));
      const queue = pgmq
        ? `queues in pgmq ${pgmq}`
        : stand_in
          ? 'queues in public.queue_messages (pgmq is not installed)'
          : 'no queues';
      return `${queue}; ${missing.length > 0 ? `missing in schema public: ${missing.join(', ')}` : RUNBOOK_FUNCTIONS.join(', ')}`;
    } catch (error) {
      throw sqlError(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}

/** Who may do what, against what the migrations give: somebody's `grant all` is found, and a right that an importer would miss. */
export function checkRights(databaseUrl: string): Promise<Check> {
  return check('rights', async () => {
    const client = await openConnection(databaseUrl, 'intake doctor');
    try {
      const { rows } = await client.query<RightsRow>(RIGHTS_QUERY);
      const faults = rightsFaults(rows);
      const [first] = faults;
      if (first)
        throw failed(
          `${faults.length} other rights than the migrations give: ${faults
            .slice(0, 3)
            .map(({ identity, may, right, object }) => `${identity} ${may ? 'may' : 'may not'} ${right} ${object}`)
            .join(', ')}${faults.length > 3 ? ', ...' : ''}`,
          `As the owner: ${first.statement}; docs/security.md has all rights.`,
        );
      return `${rows.length} objects, as the migrations give them`;
    } catch (error) {
      throw sqlError(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}

export function checkBucket({ url, serviceKey }: { url: string; serviceKey: string }, bucket: string): Promise<Check> {
  return check('bucket', async () => {
    const response = await serviceFetch('storage')(`${url}/storage/v1/bucket/${bucket}`, {
      headers: { apikey: serviceKey, authorization: `Bearer ${serviceKey}` },
      signal: AbortSignal.timeout(10_000),
    });
    // Migrations refuse a public one; somebody may have opened it since.
    if (((await response.json()) as { public?: boolean }).public)
      throw failed(
        `bucket '${bucket}' is public: everybody can read what is imported`,
        `Make it private: update storage.buckets set public = false where id = '${bucket}'.`,
      );
    return `bucket '${bucket}'`;
  });
}
