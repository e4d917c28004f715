/** The checks of `intake doctor`: each asks one thing that an import needs. */
import type { Backend } from '../backends/backend.ts';
import { IntakeError } from '../errors.ts';
import { listMigrations } from '../migrate.ts';
import { hostQueue } from '../temporal.ts';
import { SEARCH_ATTRIBUTES } from '../workflows/messages.ts';
import { errorDocument } from './fault.ts';
import { isPolled } from './pollers.ts';
import type { Session } from './session.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

interface Health {
  readonly version: string;
  readonly now: string;
  readonly migrations: readonly string[];
  readonly functions: readonly string[];
}

const FUNCTIONS = ['claim_import_run', 'heartbeat_import_run', 'finalize_import_run', 'reconcile_import_run', 'rollback_import_run'];
/** A claim is judged by the database's clock, a report by the host's: more than this confuses operators. */
const SKEW_MS = 5_000;

/** Runs one check; what it throws is its finding. */
async function check(name: string, ask: () => Promise<string> | string): Promise<Check> {
  try {
    return { name, ok: true, detail: await ask(), remedy: null };
  } catch (error) {
    const known = error instanceof IntakeError ? error : new IntakeError('INTERNAL', (error as Error).message ?? 'failed', { cause: error });
    const { message, remedy } = errorDocument(known);
    return { name, ok: false, detail: message, remedy };
  }
}

const failed = (message: string, remedy: string) => new IntakeError('CONFIG_INVALID', message, { remedy });

export const checkNode = (): Promise<Check> =>
  check('node', () => {
    if (Number(process.versions.node.split('.')[0]) < 24) throw failed(`Node ${process.versions.node}`, 'Run `npm ci`: the package brings Node 24.');
    return `Node ${process.versions.node}`;
  });

export async function checkTemporal(session: Session): Promise<Check[]> {
  const { config } = session;
  const namespace = config.temporal?.namespace ?? 'default';
  const checks = [await check('temporal', async () => {
    const { workflowService } = (await session.temporal()).connection;
    await workflowService.describeNamespace({ namespace }).catch(() => {
      throw failed(`Namespace '${namespace}' cannot be read`, 'Create it, or check TEMPORAL_NAMESPACE and TEMPORAL_API_KEY.');
    });
    return `${config.temporal?.address}, namespace ${namespace}`;
  })];
  if (!checks[0]?.ok) return checks;
  const client = await session.temporal();
  checks.push(await check('search_attributes', async () => {
    const { operatorService } = client.connection as unknown as { operatorService: { listSearchAttributes(request: object): Promise<{ customAttributes: object }> } };
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !Object.hasOwn(customAttributes, name));
    if (missing.length > 0) {
      const commands = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
      throw failed(`Missing: ${missing.join(', ')}`, `temporal operator search-attribute create --namespace ${namespace} ${commands}`);
    }
    return Object.values(SEARCH_ATTRIBUTES).join(', ');
  }));
  const { taskQueue, host } = config;
  checks.push(await checkQueue('worker', taskQueue, 'workflow'));
  checks.push(await checkQueue('worker_files', hostQueue(taskQueue, host), 'activity'));
  return checks;

  function checkQueue(name: string, queue: string, type: 'workflow' | 'activity'): Promise<Check> {
    return check(name, async () => {
      if (!(await isPolled(client, queue, type))) throw failed(`No worker polls task queue '${queue}'`, 'Start one: intake worker.');
      return `polls task queue '${queue}'`;
    });
  }
}

/** The database through one backend: reachable and, with `inside`, migrated, its functions there, its clock right. */
export async function checkBackend(name: 'database' | 'supabase', open: () => Promise<Backend>, inside = true): Promise<Check[]> {
  let health: Health | undefined;
  const checks = [await check(name, async () => {
    health = await (await open()).call<Health>('health', {});
    return name === 'database' ? `PostgreSQL ${health.version}` : `the API exposes schema ingest (PostgreSQL ${health.version})`;
  })];
  const found = health;
  if (!found || !inside) return checks;
  checks.push(await check('migrations', () => {
    const pending = listMigrations().filter(({ version }) => !found.migrations.includes(version));
    if (pending.length > 0) throw failed(`Pending: ${pending.map((migration) => migration.version).join(', ')}`, 'Run `intake migrate`.');
    return `${found.migrations.length} applied, none pending`;
  }));
  checks.push(await check('functions', () => {
    const missing = FUNCTIONS.filter((fn) => !found.functions.includes(fn));
    if (missing.length > 0) throw failed(`Missing in schema ingest: ${missing.join(', ')}`, 'Run `intake migrate`.');
    return `${found.functions.length} in schema ingest`;
  }));
  checks.push(await check('clock', async () => {
    const asked = Date.now();
    const { now } = await (await open()).call<Health>('health', {});
    const skew = Date.parse(now) - (asked + Date.now()) / 2;
    if (Math.abs(skew) > SKEW_MS) throw failed(`The database is ${(skew / 1000).toFixed(1)} s off this host`, 'Synchronize the clocks (NTP).');
    return `${Math.abs(Math.round(skew))} ms between host and database`;
  }));
  return checks;
}

export function checkBucket({ url, serviceKey }: { url: string; serviceKey: string }, bucket: string): Promise<Check> {
  return check('bucket', async () => {
    const response = await fetch(`${url}/storage/v1/bucket/${bucket}`, {
      headers: { apikey: serviceKey, authorization: `Bearer ${serviceKey}` }, signal: AbortSignal.timeout(10_000),
    }).catch((cause: unknown) => {
      throw new IntakeError('STORAGE_UNAVAILABLE', 'Storage does not answer', { cause, remedy: 'Check SUPABASE_URL.' });
    });
    await response.arrayBuffer();
    if (!response.ok) throw failed(`Bucket '${bucket}' cannot be read (${response.status})`, `Create a private bucket '${bucket}' in Storage; run \`intake migrate\`.`);
    return `bucket '${bucket}'`;
  });
}
