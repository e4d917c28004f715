/** The embedded PostgreSQL: made once, started with settings for imports, mended after a crash. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { IntakeError } from '../errors.ts';
import { explain } from './diagnosis.ts';
import { adminUrlOf } from './environment.ts';
import { postgresState } from './ports.ts';
import { makeOwned } from './postgresPlace.ts';
import { commandLineOf } from './processes.ts';
import { logFile } from './state.ts';
import type { PostgresPlace } from './state.ts';

/** How long a server may take to stop: it writes all of its buffers. Killed, it would have to recover. */
export const CHECKPOINT_MS = 300_000;

/**
 * Makes the cluster unless it exists: UTF-8 everywhere, one collation on every machine, passwords for every connection.
 * Built aside and renamed, so that a kill leaves no half of one.
 * @throws IntakeError STACK_FAILED with the log's path.
 */
export function initializeCluster(dir: string, place: PostgresPlace, password: string): void {
  if (existsSync(join(place.dataDir, 'PG_VERSION'))) return;
  const building = `${place.dataDir}.new`;
  rmSync(building, { recursive: true, force: true });
  makeOwned(building, place.user);
  const passwordFile = join(dirname(place.dataDir), 'postgres.password');
  const log = openSync(logFile(dir, 'initdb'), 'w', 0o600);
  try {
    makePasswordFile(passwordFile, password, place);
    const args = [`--pgdata=${building}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const text = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    execFileSync(join(place.binDir, 'initdb'), [...args, ...text], {
      ...place.user,
      cwd: '/',
      stdio: ['ignore', log, log],
    });
  } catch {
    throw explain(dir, 'initdb', {}, 'The database cannot be made');
  } finally {
    closeSync(log);
    rmSync(passwordFile, { force: true });
  }
  renameSync(building, place.dataDir);
}

/** Gives a stopped cluster a new password: its old one went with a lost `stack.json`. */
export function resetPassword(place: PostgresPlace, password: string): void {
  const args = ['--single', '-D', place.dataDir, '-c', 'log_min_messages=fatal', 'postgres'];
  const input = `ALTER ROLE postgres PASSWORD '${password}'\n`;
  const options = {
    ...place.user,
    cwd: '/',
    input,
    stdio: ['pipe', 'ignore', 'ignore'] as ['pipe', 'ignore', 'ignore'],
  };
  const { status } = spawnSync(join(place.binDir, 'postgres'), args, options);
  if (status !== 0)
    throw new IntakeError('STACK_FAILED', `The database in ${place.dataDir} did not take a new password`);
}

/**
 * Removes a `postmaster.pid` that names a dead process or a foreign one. Only who holds the folder may call it, when none of
 * our servers is left: PostgreSQL itself refuses a recycled pid, and only its absence tells it that nobody has the data open.
 * @throws IntakeError STACK_FAILED when another server has this data open.
 */
export function clearStalePid(place: PostgresPlace): void {
  const path = join(place.dataDir, 'postmaster.pid');
  if (!existsSync(path)) return;
  const pid = Number(readFileSync(path, 'utf8').split('\n')[0]);
  if (pid > 0 && isServerOf(commandLineOf(pid), place.dataDir)) throw openElsewhere(place, `process ${pid}`);
  rmSync(path);
}

/**
 * Asks the port that `postmaster.pid` names whether this very cluster is served there, as by a server of an older version in
 * another container, whose processes cannot be seen.
 * @throws IntakeError STACK_FAILED when it is.
 */
export async function assertNotServed(place: PostgresPlace, password: string): Promise<void> {
  const [pid, , , port] = readOr(join(place.dataDir, 'postmaster.pid')).split('\n');
  if (!port || (await postgresState(Number(port))) === 'down') return;
  const { default: postgres } = await import('postgres');
  const url = adminUrlOf({ ports: { postgres: Number(port) }, postgresPassword: password });
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined });
  try {
    const [row] = await sql`SELECT system_identifier::text AS id FROM pg_control_system()`;
    const ours = readFileSync(join(place.dataDir, 'global', 'pg_control')).readBigUInt64LE(0);
    if (BigInt.asUintN(64, BigInt(row?.['id'] as string)) !== ours) return;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') return; // another password: another's
  } finally {
    await sql.end({ timeout: 1 });
  }
  throw openElsewhere(place, `process ${pid} at port ${port}`);
}

const openElsewhere = (place: PostgresPlace, who: string): IntakeError =>
  new IntakeError('STACK_FAILED', `The database in ${place.dataDir} is in use by ${who}`, {
    remedy: 'Stop it there; it may belong to another container or user.',
  });

/** Whether a command line is the server of a data folder, and not a stranger that only names the folder. */
const isServerOf = (line: string, dataDir: string): boolean =>
  /(?:^|\/)postgres -D /.test(line) && line.includes(` -D ${dataDir} -p `);

const readOr = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Command line of the server. `tag` becomes the cluster's name, which stands in the title of each of its processes. */
export function postgresCommand(place: PostgresPlace, port: number, tag: string): { command: string; args: string[] } {
  const sharedBuffersMb = Math.max(32, Math.min(512, Math.floor(totalmem() / 4 / 1024 / 1024)));
  const settings = {
    cluster_name: tag,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 60,
    shared_buffers: `${sharedBuffersMb}MB`,
    work_mem: '32MB',
    maintenance_work_mem: '128MB',
    // Imports write much at once: few, spread checkpoints. Nobody replicates an embedded server.
    max_wal_size: '8GB',
    checkpoint_timeout: '15min',
    wal_level: 'minimal',
    max_wal_senders: 0,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Errors, statements and parameters may quote cells; the client gets them, the log does not.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_parameter_max_length: 0,
    log_parameter_max_length_on_error: 0,
    log_error_verbosity: 'terse',
    log_startup_progress_interval: '2s',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return { command: join(place.binDir, 'postgres'), args: ['-D', place.dataDir, '-p', String(port), ...flags] };
}

function makePasswordFile(path: string, password: string, place: PostgresPlace): void {
  rmSync(path, { force: true });
  writeFileSync(path, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (place.user) chownSync(path, place.user.uid, place.user.gid);
}
