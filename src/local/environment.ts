/** The stack as the environment of its programs: the same variables that configure a real deployment. */
import { join } from 'node:path';
import { withoutLoopback } from '../settings/proxy.ts';
import type { Ports } from './ports.ts';
import { OWNER, type StackSettings } from './state.ts';

/** As its owner, who is no superuser: what every program of the stack uses. */
export const databaseUrlOf = (settings: Pick<StackSettings, 'ports' | 'ownerPassword'>): string =>
  `postgresql://${OWNER}:${settings.ownerPassword}@127.0.0.1:${settings.ports.postgres}/postgres`;

/** As superuser: for making the owner only. */
export const adminUrlOf = (settings: {
  readonly ports: Pick<Ports, 'postgres'>;
  readonly postgresPassword: string;
}): string => `postgresql://postgres:${settings.postgresPassword}@127.0.0.1:${settings.ports.postgres}/postgres`;

/** A worker's buffers come and go by the megabyte: a small young generation and few arenas give them back. */
export const SMALL_PROCESS = {
  NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --max-semi-space-size=4`.trim(),
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '1048576',
  // An object on its way to disk holds a thread: Node's four are fewer than --max-concurrent-uploads.
  UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? '16',
};

export const supabaseUrlOf = (settings: Pick<StackSettings, 'ports'>): string =>
  `http://127.0.0.1:${settings.ports.api}`;

export const gatewayUrlOf = (settings: Pick<StackSettings, 'ports'>): string =>
  `http://127.0.0.1:${settings.ports.gateway}`;

export function environmentOf(dir: string, settings: StackSettings): NodeJS.ProcessEnv {
  return {
    ...withoutLoopback(process.env),
    INTAKE_DIR: dir,
    SUPABASE_MODE: 'embedded',
    INTAKE_OBJECTS_DIR: process.env['INTAKE_OBJECTS_DIR'] ?? join(dir, 'objects'),
    TEMPORAL_ADDRESS: `127.0.0.1:${settings.ports.temporal}`,
    TEMPORAL_NAMESPACE: 'default',
    DATABASE_URL: databaseUrlOf(settings),
    SUPABASE_URL: supabaseUrlOf(settings),
    SUPABASE_SERVICE_ROLE_KEY: settings.serviceRoleKey,
    SUPABASE_ANON_KEY: settings.anonKey,
    INTAKE_PORT: String(settings.ports.gateway),
    INTAKE_GATEWAY_URL: process.env['INTAKE_GATEWAY_URL'] ?? gatewayUrlOf(settings),
    INTAKE_TEMPORAL_UI: `http://127.0.0.1:${settings.ports.ui}`,
    INTAKE_JWT_SECRET: settings.jwtSecret,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dir, 'cache'),
  };
}
