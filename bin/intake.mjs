#!/usr/bin/env node
// Starts the CLI on Node 24, whatever Node starts this file (20.19 or newer): the package brings its own.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCurrent, ownNode } from './node.mjs';

const source = new URL('../src/client.ts', import.meta.url);
const program = existsSync(source) ? source : new URL('../dist/client.js', import.meta.url);
const userCache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const cache = process.env.NODE_COMPILE_CACHE ?? join(userCache, 'intake', 'compiled');

// A worker's buffers come and go by the megabyte: few arenas and a small young generation give them back. Read at start only.
const small = {
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --max-semi-space-size=4`.trim(),
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '1048576',
};
const worker = process.argv[2] === 'worker' && !process.env.MALLOC_ARENA_MAX;

if (isCurrent() && !worker) {
  module.enableCompileCache(cache);
  process.argv[1] = fileURLToPath(program);
  await import(program.href);
} else {
  await runOnOwnNode();
}

async function runOnOwnNode() {
  const { spawn } = await import('node:child_process');
  const node = ownNode();
  if (node === undefined) {
    const clone = existsSync(new URL('../scripts/install.mjs', import.meta.url));
    const remedy = clone ? 'Run `node scripts/install.mjs` in its folder first.' : 'Use that.';
    console.error(`Intake needs Node 24 or newer${clone ? ' and its packages' : ''}. ${remedy}`);
    process.exit(2);
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: cache, ...(worker ? small : {}) };
  const child = spawn(node, [fileURLToPath(program), ...process.argv.slice(2)], { stdio: 'inherit', env });
  // The child decides what a signal means; it may get Ctrl-C twice, from the terminal and from here.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.once('error', (error) => {
    console.error(
      `Node 24 does not start (${error.message}). Run \`node scripts/install.mjs --again\` in the folder of Intake.`,
    );
    process.exit(2);
  });
  child.once('exit', (code, signal) => {
    process.removeAllListeners(signal ?? 'SIGINT');
    if (signal) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}
