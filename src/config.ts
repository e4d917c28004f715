/** Configuration: the environment (or a `.env` file), parsed once, every fault listed at once. */
import { createHash } from 'node:crypto';
import { delimiter, resolve } from 'node:path';
import { getDotPath, safeParse } from 'valibot';
import { IntakeError } from './errors.ts';
import { settingFaults } from './settings/faults.ts';
import { SETTINGS } from './settings/schema.ts';
import { parseSupabaseUrl } from './settings/supabaseAddress.ts';

export type BackendName = 'postgres' | 'supabase';

export interface SupabaseConfig {
  readonly url: string;
  readonly serviceKey: string;
  readonly anonKey: string | undefined;
}

export interface TemporalConfig {
  readonly address: string;
  readonly namespace: string;
  readonly apiKey: string | undefined;
  /** Paths of PEM files for mTLS. */
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Alerts about anomalies (runbook 003). */
export interface AlertsConfig {
  /** Receives aggregates; undefined: nobody does. */
  readonly webhook: string | undefined;
  /** What POST /anomalies/alerts looks at. */
  readonly windowHours: number;
  readonly minCount: number;
  /** Whether the webhook may be on this host or a private network. */
  readonly allowPrivate: boolean;
}

/** Who hears of pushes, imports and retentions that failed or did not begin. */
export interface NoticesConfig {
  /** Undefined: nobody does. */
  readonly webhook: string | undefined;
  readonly allowPrivate: boolean;
}

export interface TracesConfig {
  /** Base URL of an OTLP/HTTP collector. */
  readonly endpoint: string;
  readonly serviceName: string;
}

export interface Config {
  /** State of the embedded stack and caches, absolute. */
  readonly dir: string;
  /** Names this host; files are read on its own task queue. */
  readonly host: string;
  /** Name of the deployment among several (`--env`, SUPABASE_MODE): dev, prod; of the embedded stack `embedded`. */
  readonly environment: string | undefined;
  readonly taskQueue: string;
  readonly backend: BackendName;
  /** Undefined when nothing is configured: the embedded stack is used. */
  readonly temporal: TemporalConfig | undefined;
  readonly databaseUrl: string | undefined;
  readonly supabase: SupabaseConfig | undefined;
  /** Object folder of the postgres backend, absolute. */
  readonly objectsDir: string;
  /** Whether other hosts see the object folder: true when it was configured. */
  readonly objectsShared: boolean;
  /** Folders that workers of this host may read and write for whoever starts a workflow, absolute. */
  readonly files: readonly string[];
  /** Size of a chunk in bytes. */
  readonly chunkBytes: number;
  /** Chunks or partitions in flight of one import. */
  readonly window: number;
  /** Rows of a partition, about. */
  readonly partitionRows: number;
  /** How images are stored. */
  readonly compression: 'none' | 'gzip';
  readonly logLevel: string;
  /** Where the gateway listens. */
  readonly gateway: ListenAddress;
  /** Tenants that may post projects, by SHA-256 of their secrets, hex; beside those of the tenants table. */
  readonly projectsBearers: readonly { readonly tenantId: string; readonly sha256: string }[];
  /** The secret that a tenant's batches are posted with, where PROJECTS_IMPORT_BEARER has it. A function, so that no log can hold it. */
  readonly projectsSecret: (tenantId: string) => string | undefined;
  /** Pages of these may call the gateway from a browser; of none unless given. */
  readonly allowedOrigins: readonly string[];
  /** Where batches of projects are posted; without a slash at its end. */
  readonly gatewayUrl: string;
  /** Where people look at workflows; without a slash at its end. Undefined: the dashboard has no links there. */
  readonly temporalUi: string | undefined;
  readonly alerts: AlertsConfig;
  readonly notices: NoticesConfig;
  /** Where a worker serves its metrics; undefined: nowhere, and it measures nothing. */
  readonly metrics: ListenAddress | undefined;
  /** Undefined: no traces. */
  readonly traces: TracesConfig | undefined;
}

/**
 * Parses the configuration.
 * @throws IntakeError CONFIG_INVALID naming every setting that is wrong, never its value.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = safeParse(SETTINGS, given, { abortPipeEarly: true });
  const faults = (parsed.issues ?? []).map((issue) => `${getDotPath(issue)}: ${issue.message}`);
  // All that can be said is said at once: these ask the settings as they were given.
  faults.push(...settingFaults(given as Record<string, string>, env));
  const projectsBearers = bearers(given['PROJECTS_IMPORT_BEARER'] ?? '');
  if (!projectsBearers)
    faults.push(
      'PROJECTS_IMPORT_BEARER: write it as TENANT=secret,TENANT=secret with a secret of its own for each tenant',
    );
  const value = parsed.success ? parsed.output : undefined;
  if (!value || !projectsBearers || faults.length > 0)
    throw new IntakeError('CONFIG_INVALID', `Configuration: ${faults.join('; ')}`);
  const serviceKey = value.SUPABASE_SERVICE_ROLE_KEY ?? value.SUPABASE_SECRET_KEY;
  const supabaseUrl = value.SUPABASE_URL === undefined ? undefined : parseSupabaseUrl(value.SUPABASE_URL);

  const dir = resolve(value.INTAKE_DIR);
  const gateway = listenAddress(value.INTAKE_PORT);
  const external = Boolean(value.TEMPORAL_ADDRESS ?? value.DATABASE_URL ?? value.SUPABASE_URL);
  const fallback: BackendName = value.SUPABASE_URL && !value.DATABASE_URL ? 'supabase' : 'postgres';
  return {
    dir,
    host: value.INTAKE_HOST,
    environment: value.SUPABASE_MODE,
    taskQueue: value.INTAKE_TASK_QUEUE,
    backend:
      value.INTAKE_BACKEND === undefined ? fallback : value.INTAKE_BACKEND === 'supabase' ? 'supabase' : 'postgres',
    temporal: external
      ? {
          address: value.TEMPORAL_ADDRESS ?? '127.0.0.1:7233',
          namespace: value.TEMPORAL_NAMESPACE,
          apiKey: value.TEMPORAL_API_KEY,
          tlsCert: value.TEMPORAL_TLS_CERT,
          tlsKey: value.TEMPORAL_TLS_KEY,
        }
      : undefined,
    databaseUrl: value.DATABASE_URL,
    supabase:
      typeof supabaseUrl === 'object' && serviceKey
        ? { url: supabaseUrl.url, serviceKey, anonKey: value.SUPABASE_ANON_KEY ?? value.SUPABASE_PUBLISHABLE_KEY }
        : undefined,
    objectsDir: resolve(value.INTAKE_OBJECTS_DIR ?? `${dir}/objects`),
    objectsShared: value.INTAKE_OBJECTS_DIR !== undefined,
    files: value.INTAKE_FILES.split(delimiter)
      .filter(Boolean)
      .map((folder) => resolve(folder)),
    chunkBytes: value.INTAKE_CHUNK_BYTES,
    window: value.INTAKE_WINDOW,
    partitionRows: value.INTAKE_PARTITION_ROWS,
    compression: value.INTAKE_COMPRESSION,
    logLevel: value.LOG_LEVEL,
    gateway,
    allowedOrigins: value.INTAKE_ALLOWED_ORIGINS,
    gatewayUrl: (
      value.INTAKE_GATEWAY_URL ??
      `http://${gateway.host.includes(':') ? `[${gateway.host}]` : gateway.host}:${gateway.port}`
    ).replace(/\/+$/, ''),
    projectsBearers: projectsBearers.map(({ tenantId, secret }) => ({
      tenantId,
      sha256: createHash('sha256').update(secret).digest('hex'),
    })),
    projectsSecret: (tenantId) => projectsBearers.find((bearer) => bearer.tenantId === tenantId)?.secret,
    temporalUi: value.INTAKE_TEMPORAL_UI?.replace(/\/+$/, ''),
    alerts: {
      webhook: value.ANOMALIES_ALERT_WEBHOOK,
      windowHours: value.ANOMALIES_ALERT_WINDOW_HOURS,
      minCount: value.ANOMALIES_ALERT_MIN_COUNT,
      allowPrivate: value.ANOMALIES_ALERT_ALLOW_PRIVATE === 'true',
    },
    notices: {
      webhook: value.INTAKE_NOTIFY_WEBHOOK,
      allowPrivate: value.INTAKE_NOTIFY_ALLOW_PRIVATE === 'true',
    },
    metrics: value.INTAKE_METRICS_ADDRESS === undefined ? undefined : listenAddress(value.INTAKE_METRICS_ADDRESS),
    traces: value.OTEL_EXPORTER_OTLP_ENDPOINT
      ? { endpoint: value.OTEL_EXPORTER_OTLP_ENDPOINT, serviceName: value.OTEL_SERVICE_NAME }
      : undefined,
  };
}

/** `TENANT=secret,...`; undefined when it is not that, or a secret would open two tenants. */
function bearers(text: string): { readonly tenantId: string; readonly secret: string }[] | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
    .map((entry) => /^([^=]+?)\s*=\s*(\S+)$/.exec(entry));
  const found = entries.flatMap((entry) => (entry ? [{ tenantId: entry[1]!, secret: entry[2]! }] : []));
  return found.length === entries.length && new Set(found.map(({ secret }) => secret)).size === found.length
    ? found
    : undefined;
}

/** A port alone is one of this host's own. */
function listenAddress(text: string): ListenAddress {
  const at = text.lastIndexOf(':');
  return { host: at < 0 ? '127.0.0.1' : text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}
