// Installs the packages when they are missing or older than the lock file. Runs on Node 20.19 with nothing installed, and
// however npm is set: no install script is needed, and what npm would leave out is asked for.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedNode, isSupported, ownNode } from '../bin/node.mjs';

const root = new URL('../', import.meta.url);
const copyOfLock = new URL('node_modules/.package-lock.json', root);
const ARGS = [
  'ci',
  '--include=dev',
  '--include=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];
const SIGN_OF_LIFE_MS = 15_000;
const changed = (url) => statSync(url, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Ends this process with a sentence when it cannot be done. @param again installs also what seems to be there. */
export async function installPackages(again = false) {
  refuse(unsupported());
  // npm writes its own copy of the lock file last: it is missing after an interrupted installation.
  const there = changed(copyOfLock) >= changed(new URL('package-lock.json', root)) && installedNode() !== undefined;
  if (there && !again) return;
  console.error('Installing packages (npm ci), about a minute the first time');
  const { status, error } = await runNpm();
  if (error || status !== 0)
    refuse(
      `npm ci failed${error ? `: ${error.message}` : ''}. Its reason stands above; behind a company's proxy set https_proxy, or npm's registry.`,
      1,
    );
  refuse(broken());
}

/** npm is the caller itself where that is npm: yarn and pnpm set the same variable to themselves. */
function runNpm() {
  const caller = process.env.npm_execpath ?? '';
  const npm = basename(caller) === 'npm-cli.js' && existsSync(caller) ? [process.execPath, caller] : ['npm'];
  const [command, ...rest] = npm;
  // What the caller was told to leave out reaches npm as variables, too, and wins over nothing that is said here.
  const child = spawn(command, [...rest, ...ARGS], { cwd: fileURLToPath(root), stdio: ['ignore', 2, 2] });
  const since = Date.now();
  const signs = setInterval(
    () => console.error(`  still installing (${Math.round((Date.now() - since) / 1000)} s)`),
    SIGN_OF_LIFE_MS,
  );
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (status) => resolve({ status }));
  }).finally(() => clearInterval(signs));
}

/** What is wrong with what was installed; undefined: its programs run. */
function broken() {
  const node = ownNode();
  if (!node)
    return 'npm did not install Node 24 for this machine. Check that npm may install optional packages (`npm config get omit`), or use Node 24 or newer.';
  const module = new URL('src/local/postgresPlace.ts', root).href;
  const script = `const { postgresVersion } = await import(${JSON.stringify(module)}); console.log(postgresVersion())`;
  const { status, error, stderr } = spawnSync(node, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  if (error) return `Node 24 does not start: ${error.message}.`;
  if (status !== 0)
    return `PostgreSQL does not start: ${
      stderr
        .trim()
        .split('\n')
        .find((line) => /error|Error/.test(line)) ?? stderr.trim()
    }`;
  return undefined;
}

/** Why Intake cannot run on this machine; undefined: it can. */
function unsupported() {
  const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
  if (isSupported() && !musl) return undefined;
  const here = `${process.platform} ${process.arch}${musl ? ' with musl' : ''}`;
  return `Intake runs on Linux (glibc; x64, arm64), macOS and Windows with WSL 2, not on ${here}: use one of those, or Docker.`;
}

function refuse(sentence, status = 2) {
  if (sentence === undefined) return;
  console.error(sentence);
  process.exit(status);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await installPackages(process.argv.includes('--again'));
