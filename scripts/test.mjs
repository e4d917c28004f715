// `npm test [-- FILES and mocha options]`: installs what is missing, runs every test, ends with a plain line of counts.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPackages } from './install.mjs';

/** Half of the time goes to these; they run beside the others, on a stack of their own. */
const SECOND_HALF = /^test\/(?:cli|crash|hosts|local)\//;
const ENDING = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

installPackages();
const root = fileURLToPath(new URL('../', import.meta.url));
const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));
const args = process.argv.slice(2);

if (args.some((arg) => arg.endsWith('.ts'))) {
  process.exitCode = (await run(args, process.stdout)).status;
} else {
  const files = readdirSync(new URL('../test/', import.meta.url), { recursive: true })
    .map((file) => `test/${file.replaceAll('\\', '/')}`).filter((file) => file.endsWith('.test.ts')).sort();
  const halves = [files.filter((file) => !SECOND_HALF.test(file)), files.filter((file) => SECOND_HALF.test(file))];
  const [first, second] = await Promise.all([run([...args, ...halves[0]], process.stdout), run([...args, ...halves[1]])]);
  process.stdout.write(second.output);
  // Without an ending something failed before the tests.
  const counts = [first, second].map(({ output }) => ([...output.matchAll(ENDING)].at(-1) ?? ['', 0, 1]).slice(1, 4).map((n) => Number(n ?? 0)));
  const [passed, failed, skipped] = [0, 1, 2].map((i) => (counts[0][i] || 0) + (counts[1][i] || 0));
  process.exitCode = first.status || second.status;
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
}

/** Mocha on these files; what it prints is kept and, to `shown`, passed on. */
function run(files, shown) {
  return new Promise((resolve) => {
    const color = process.stdout.isTTY ? ['--color'] : [];
    const child = spawn(node, [mocha, ...color, ...files], { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      shown?.write(text);
    });
    child.on('close', (status) => resolve({ status: status ?? 1, output }));
  });
}
