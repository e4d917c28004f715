// Installs the packages when they are missing or older than the lock file. Runs on Node 20.19 with nothing installed.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const changed = (name) => statSync(new URL(name, root), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Ends this process when npm fails. */
export function installPackages() {
  // npm writes its own copy of the lock file last: it is missing after an interrupted installation.
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return;
  console.error('Installing packages (npm ci), about a minute the first time');
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command, ...rest] = npm;
  const args = [...rest, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync(command, args, { cwd: fileURLToPath(root), stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`npm ci failed${error ? `: ${error.message}` : ''}. Check the network and run it again.`);
  process.exit(status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPackages();
