// `npm test [-- FILES and mocha options]`: installs what is missing, runs every test, ends with a plain line of counts.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

installPackages();
const root = fileURLToPath(new URL('../', import.meta.url));
const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));
const args = process.argv.slice(2);
const files = args.some((arg) => arg.endsWith('.ts')) ? [] : ['test/**/*.test.ts'];
const { status } = spawnSync(node, [mocha, ...args, ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
