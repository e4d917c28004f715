/** Other programs of the benchmark: found on PATH, run to their end. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export function onPath(program: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export const missingFromPath = (program: string) => (): string | undefined =>
  onPath(program) === undefined ? `${program} is not on PATH` : undefined;

/** @throws Error with the end of what the program said when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  { input = '', env = {} as NodeJS.ProcessEnv } = {},
): Promise<void> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  const listen = (data: Buffer): void => void (said = (said + data.toString('utf8')).slice(-2000));
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.stdin.on('error', () => undefined); // its end says more
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${said.trim()}`);
}

/** Runs an SQL script by psql on one connection; the first error ends it. */
export function psql(databaseUrl: string, script: string): Promise<void> {
  const url = new URL(databaseUrl);
  const env = {
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: url.username,
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: url.pathname.slice(1),
    PGCLIENTENCODING: 'UTF8',
  };
  return run('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--output=/dev/null'], { input: script, env });
}

/** Seconds that some work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
