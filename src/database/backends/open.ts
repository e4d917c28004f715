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
import { postgresBackend } from './postgres.ts';
import { supabaseBackend } from './supabase.ts';

export interface Backends {
  /** @throws IntakeError CONFIG_INVALID when it is not configured. */
  get(name: BackendName): Backend;
  close(): Promise<void>;
}

/** @param metrics counts what they transfer. */
export function openBackends(config: Config, metrics: Metrics = noMetrics): Backends {
  const open = new Map<BackendName, Backend>();
  const create = (name: BackendName): Backend => {
    if (name === 'postgres') {
      if (!config.databaseUrl) throw new IntakeError('CONFIG_INVALID', 'The postgres backend needs DATABASE_URL');
      return postgresBackend({ databaseUrl: config.databaseUrl, objectsDir: config.objectsDir });
    }
    if (!config.supabase)
      throw new IntakeError('CONFIG_INVALID', 'The supabase backend needs SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY');
    return supabaseBackend({ ...config.supabase, databaseUrl: config.databaseUrl });
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
