/**
 * database/backends/: The two ways to it: SQL over a pool, and the API of Supabase.
 *
 * The backends that a configuration allows, opened when first asked for.
 */
import type { BackendName, Config } from '../../config.ts';
import { IntakeError } from '../../errors.ts';
import { noMetrics, type Metrics } from '../../observability/metrics.ts';
import type { Backend } from '../backend.ts';
import { measured } from './measured.ts';

export interface Backends {
  /** @throws IntakeError CONFIG_INVALID when it is not configured. */
  get(name: BackendName): Backend;
  close(): Promise<void>;
}

/**
 * @param metrics counts what they transfer.
 * @param names those that may be asked for; the libraries of others are not loaded.
 */
export async function openBackends(
  config: Config,
  metrics: Metrics = noMetrics,
  names: readonly BackendName[] = ['postgres', 'supabase'],
): Promise<Backends> {
  const postgres = names.includes('postgres') ? await import('./postgres.ts') : undefined;
  const supabase = names.includes('supabase') && config.supabase ? await import('./supabase.ts') : undefined;
  const open = new Map<BackendName, Backend>();
  const create = (name: BackendName): Backend => {
    if (name === 'postgres' && postgres) {
      if (!config.databaseUrl) throw new IntakeError('CONFIG_INVALID', 'The postgres backend needs DATABASE_URL');
      return postgres.postgresBackend({
        databaseUrl: config.databaseUrl,
        objectsDir: config.objectsDir,
        // The embedded stack's programs have one folder.
        objectsShared: config.objectsShared || config.environment === 'embedded',
      });
    }
    if (!config.supabase || !supabase)
      throw new IntakeError('CONFIG_INVALID', 'The supabase backend needs SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY');
    return supabase.supabaseBackend({ ...config.supabase, databaseUrl: config.databaseUrl });
  };
  return {
    get(name) {
      const backend = open.get(name) ?? (metrics === noMetrics ? create(name) : measured(create(name), metrics));
      open.set(name, backend);
      return backend;
    },
    async close() {
      await Promise.all([...open.values()].map((backend) => backend.close()));
    },
  };
}
