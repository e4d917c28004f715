/** What a command works with: the configuration, the embedded stack where nothing is configured, connections when asked for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Backend } from '../database/backend.ts';
import type { Backends } from '../database/backends/open.ts';
import { loadConfig, type BackendName, type Config } from '../config.ts';
import { IntakeError } from '../errors.ts';
import type { Ports } from '../local/ports.ts';
import type { Stack, StackOptions } from '../local/stack.ts';
import { idleSettings } from '../settings/idle.ts';
import { useProxies } from '../settings/proxy.ts';
import { targetText } from '../settings/target.ts';
import { flushTraces } from '../observability/traces.ts';
import { CONFIGURED, loadEnvironment } from './environment.ts';
import { leaveStackUp } from './interrupt.ts';
import { stackFolder } from './places.ts';

export interface Session {
  readonly config: Config;
  /** The embedded stack, when that is what is used. */
  readonly stack: Stack | undefined;
  temporal(): Promise<Client>;
  /** The configured backend unless another one is named. */
  backend(name?: BackendName): Promise<Backend>;
  /** The database that the backend is, as summaries name it. */
  targetOf(name?: BackendName): string;
  /** Whether the worker of the embedded stack was started a moment ago. */
  workerComesUp(): boolean;
  /** Rejects when the embedded stack cannot go on by itself; else it is never settled. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly mode?: string | undefined;
  readonly dir?: string | undefined;
  /** Receives one line for each thing that takes long. */
  readonly onStep: (line: string) => void;
  /** The embedded stack, also where a deployment is configured: for what must never write there. */
  readonly embedded?: boolean;
  /** Makes the embedded stack where there is none: what only reads would find nothing in it. */
  readonly creates?: boolean;
}

/** What names a deployment: its services, its keys, its folder of objects. */
const DEPLOYMENT = /^(?:TEMPORAL_|SUPABASE_(?!MODE$)|DATABASE_URL$|INTAKE_(?:OBJECTS_DIR|GATEWAY_URL)$)/;

/** @throws IntakeError CONFIG_INVALID, STACK_FAILED. */
export async function openSession({ mode, dir, onStep, embedded, creates = false }: SessionOptions): Promise<Session> {
  const asked = dir !== undefined && existsSync(join(dir, 'stack.json'));
  if (embedded || asked) forgetDeployment(mode, dir, onStep, asked && !embedded);
  const configured = readConfig(mode, dir, onStep);
  const stack = configured.temporal ? undefined : await embeddedStack(configured, onStep, creates);
  const config = stack ? stackConfig(configured, stack) : configured;
  const local = stack && (await import('../local/watch.ts'));
  const watch = stack && local?.watchStack(stack.dir, onStep, { without: ['gateway'] });
  let client: Promise<Client> | undefined;
  const backends = new Map<BackendName, Promise<Backends>>();
  return {
    config,
    stack,
    targetOf: (name = config.backend) => targetText({ ...config, backend: name }),
    workerComesUp: () => (stack && local?.workerComesUp(stack.dir)) ?? false,
    lost: watch?.failed ?? new Promise(() => undefined),
    temporal: () =>
      (client ??= import('../temporal/connect.ts').then(({ connectTemporal }) => connectTemporal(config))),
    backend: async (name = config.backend) => {
      const opened = backends.get(name) ?? openBackend(config, name);
      backends.set(name, opened);
      return (await opened).get(name);
    },
    async close() {
      watch?.stop();
      await Promise.all([
        flushTraces(),
        client?.then(({ connection }) => connection.close()).catch(() => undefined),
        ...[...backends.values()].map((opening) => opening.then((opened) => opened.close()).catch(() => undefined)),
      ]);
    },
  };
}

const openBackend = async (config: Config, name: BackendName): Promise<Backends> =>
  (await import('../database/backends/open.ts')).openBackends(config, undefined, [name]);

export async function closeSession(session: Session | undefined): Promise<void> {
  await session?.close();
}

/** The configuration of the environment and its `.env` file. */
export function readConfig(
  mode: string | undefined,
  dir: string | undefined,
  onStep: (line: string) => void = () => undefined,
): Config {
  loadEnvironment(mode, onStep);
  process.env['INTAKE_DIR'] = dir ?? (process.env['INTAKE_DIR'] || stackFolder(onStep));
  const config = loadConfig(); // which refuses a proxy that cannot be used
  for (const line of idleSettings(process.env)) onStep(line);
  useProxies();
  return config;
}

/**
 * Takes a deployment out of the environment, so that neither this process nor the stack that it starts knows of one.
 * @param named whether it is the stack that was named: then nothing else can be.
 * @throws IntakeError USAGE.
 */
function forgetDeployment(
  mode: string | undefined,
  dir: string | undefined,
  onStep: (line: string) => void,
  named: boolean,
): void {
  loadEnvironment(mode, onStep);
  if (named && !CONFIGURED.some((name) => process.env[name])) return;
  const names = Object.keys(process.env).filter((name) => DEPLOYMENT.test(name) && process.env[name]);
  if (named && mode !== undefined)
    throw new IntakeError('USAGE', `--env ${mode} names a deployment, and --dir the stack in ${dir}`, {
      remedy: 'Give one of them.',
    });
  if (names.length)
    onStep(`A deployment is configured (${names.join(', ')}): nothing goes there, the embedded stack is used`);
  // Empty, not absent: a file of variables that is read again does not fill it.
  for (const name of names) process.env[name] = '';
}

/** The configuration that uses an embedded stack. */
function stackConfig(config: Config, stack: Stack): Config {
  return {
    ...config,
    dir: stack.dir,
    environment: 'embedded',
    temporal: {
      address: stack.temporal,
      namespace: 'default',
      apiKey: undefined,
      tlsCert: undefined,
      tlsKey: undefined,
    },
    databaseUrl: stack.databaseUrl,
    supabase: { url: stack.supabaseUrl, serviceKey: stack.serviceRoleKey, anonKey: stack.anonKey },
    gatewayUrl: stack.gateway ?? config.gatewayUrl,
    objectsDir: config.objectsShared ? config.objectsDir : stack.objectsDir,
  };
}

async function embeddedStack(
  { dir, gateway }: Config,
  onStep: (line: string) => void,
  creates: boolean,
): Promise<Stack> {
  if (!creates && !existsSync(join(dir, 'stack.json')))
    throw new IntakeError('CONFIG_INVALID', `There is no stack in ${dir}, and no deployment is configured`, {
      remedy: 'Go to the folder whose .env or .intake is meant, name it with --dir, or make a stack: intake up.',
    });
  return bringUpStack({ dir, onStep, ports: wantedGateway(gateway) });
}

/** The port of the gateway, where one is configured; else it is that of the start before. */
export const wantedGateway = ({ port }: Config['gateway']): Partial<Ports> =>
  process.env['INTAKE_PORT'] ? { gateway: port } : {};

/** Brings up a stack; Ctrl-C meanwhile and afterwards says that it stays up. */
export async function bringUpStack(options: StackOptions): Promise<Stack> {
  const { ensureStack } = await import('../local/stack.ts');
  return ensureStack({
    ...options,
    onStep(line) {
      leaveStackUp(options.dir);
      options.onStep?.(line);
    },
  });
}

/** `postgres`, `postgresql` or `supabase`. */
export function backendNamed(name: string | undefined): BackendName | undefined {
  if (name === undefined || name === 'postgres' || name === 'supabase') return name;
  if (name === 'postgresql') return 'postgres';
  throw new IntakeError('USAGE', '--backend is supabase or postgres');
}
