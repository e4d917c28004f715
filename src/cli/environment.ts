/** `.env` files: read into the environment once a process. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { IntakeError } from '../errors.ts';
import { findUpwards } from './places.ts';

/** What makes a deployment. */
export const CONFIGURED = ['TEMPORAL_ADDRESS', 'DATABASE_URL', 'SUPABASE_URL'];
/** Paths, which a file means from where it lies. */
const PATHS = ['INTAKE_DIR', 'INTAKE_OBJECTS_DIR', 'TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'];

let loaded = false;

/**
 * Reads `.env.<mode>`, which wins over the environment, since it was asked for by name; without a mode `.env`, over which the
 * environment wins.
 * @throws IntakeError CONFIG_INVALID when a mode was asked for, has no file and nothing else is configured: a command for
 * production must not end up in the embedded stack.
 */
export function loadEnvironment(
  mode = process.env['SUPABASE_MODE'] || undefined,
  onStep: (line: string) => void = () => undefined,
): void {
  if (loaded) return;
  if (mode !== undefined && !/^[\w-]+$/.test(mode))
    throw new IntakeError('CONFIG_INVALID', '--env is a name like dev or prod');
  const name = mode === undefined ? '.env' : `.env.${mode}`;
  const path = findUpwards(name, onStep);
  if (path !== undefined) take(path, mode !== undefined, onStep);
  else if (mode !== undefined && !CONFIGURED.some((setting) => process.env[setting]))
    throw new IntakeError('CONFIG_INVALID', `${name} does not exist here, above, or beside the installation`, {
      remedy: 'Make it from .env.example, or set the variables it would hold.',
    });
  if (mode !== undefined) process.env['SUPABASE_MODE'] = mode;
  loaded = true;
}

function take(path: string, wins: boolean, onStep: (line: string) => void): void {
  const differing: string[] = [];
  for (const [name, text = ''] of Object.entries(parseEnv(readFileSync(path, 'utf8')))) {
    const value = PATHS.includes(name) && text ? resolve(dirname(path), text) : text;
    const former = process.env[name];
    if (former !== undefined && !wins) continue;
    if (former && former !== value) differing.push(name);
    process.env[name] = value;
  }
  if (differing.length > 0) onStep(`${path} counts, not the environment, where they differ: ${differing.join(', ')}`);
}
