/** `.env` files: read into the environment, where what is set already wins. */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { IntakeError } from '../errors.ts';

const CONFIGURED = ['TEMPORAL_ADDRESS', 'DATABASE_URL', 'SUPABASE_URL'];

/**
 * Reads `.env.<mode>`, without a mode `.env`.
 * @throws IntakeError CONFIG_INVALID when a mode was asked for, has no file and nothing else is configured: a command for
 * production must not end up in the embedded stack.
 */
export function loadEnvironment(mode = process.env['SUPABASE_MODE'] || undefined): void {
  if (mode !== undefined && !/^[\w-]+$/.test(mode))
    throw new IntakeError('CONFIG_INVALID', '--env is a name like dev or prod');
  const file = mode === undefined ? '.env' : `.env.${mode}`;
  if (existsSync(file)) loadEnvFile(file);
  else if (mode !== undefined && !CONFIGURED.some((name) => process.env[name])) {
    throw new IntakeError('CONFIG_INVALID', `${file} does not exist here`, {
      remedy: 'Make it from .env.example, or set the variables it would hold.',
    });
  }
}
