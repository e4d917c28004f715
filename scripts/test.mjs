// `npm test [-- FILES and mocha options]`: installs what is missing, runs every test, ends with a plain line of counts.
// `npm run test:quick` runs those that need neither a stack of their own nor the command line: units, SQL, workflows with faked activities.
import { fork, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installedNode } from '../bin/node.mjs';
import { installPackages } from './install.mjs';

/** Files of tests that run at the same time, each lane with a stack of its own: many wait for processes, so more than two cores have. */
const LANES = 4;
/** Take longest: who begins with them does not wait for one at the end. */
const LONG = [
  'crash/worker',
  'cli/commands/import',
  'crash/directory',
  'browser/dashboard',
  'temporal/standstill',
  'docs/package',
  'crash/merge',
  'cli/commands/runs',
  'workflows/push/pushProjects',
  'schedules/schedules',
  'database/backends/backend',
  'crash/chaos',
  'workflows/file/importFile',
  'workflows/directory/importDirectory',
  'cli/commands/',
  'local/',
].map((name) => `test/${name}`);
/** With --quick: no worker on a real database, no process besides PostgreSQL and Temporal. */
const QUICK =
  /^test\/(?:anomalies|bench|kinds|messages|observability|replay|sources|sql|staging|temporal\/outcome|values|workflows\/promotion\/promotion|docs\/(?:architecture|errors))/;
/** Start processes of their own, or take long for what they are. */
const SLOW =
  /^test\/(?:kinds\/newKind|sql\/(?:supabaseCli|bridge|migrations|policiesApi|kinds|judgmentsMatching|judgmentsConcurrency)|bench\/contenders|observability\/traces)/;
/** To a lane, instead of a file. */
const END = 'end';
const SKIPPED = /^skipped: .+$/gm;
/** File and title of a test that failed. */
const FAILED = /^failed: (\S+): (.+?) => .*$/gm;
const ENDING = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;

await installPackages();
const root = fileURLToPath(new URL('../', import.meta.url));
const node = installedNode();
const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));
const quick = process.argv.includes('--quick');
const args = process.argv.slice(2).filter((arg) => arg !== '--quick');

const files = readdirSync(new URL('../test/', import.meta.url), { recursive: true })
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.ts') && (!quick || (QUICK.test(file) && !SLOW.test(file))))
  .sort();

if (args.length) {
  const named = args.some((arg) => arg.endsWith('.ts'));
  process.exitCode = (await run(named ? args : [...args, ...files], process.stdout)).status;
} else {
  const long = LONG.flatMap((name) => files.filter((file) => file.startsWith(name)));
  const queue = [...new Set([...long, ...files])];
  const output = (await Promise.all(Array.from({ length: LANES }, () => runLane(queue)))).join('');
  const counts = [...output.matchAll(ENDING)].map((ending) => ending.slice(1, 4).map((n) => Number(n ?? 0)));
  const [passed, failed, skipped] = [0, 1, 2].map((i) => counts.reduce((sum, count) => sum + count[i], 0));
  const again = await runAlone([...output.matchAll(FAILED)]);
  process.exitCode = failed > again.passed ? 1 : 0;
  // Again at the end, since those of their files stand far above.
  for (const line of new Set(output.match(SKIPPED) ?? [])) console.log(line);
  for (const line of again.lines) console.log(line);
  console.log(
    `${passed + again.passed} passed, ${failed - again.passed} failed${skipped ? `, ${skipped} skipped` : ''}`,
  );
}

/** Runs files of the queue, one after another, until none is left; what a file prints is shown when it has ended. */
function runLane(queue) {
  return new Promise((resolve) => {
    const lane = fork(new URL('../test/support/lane.ts', import.meta.url), {
      cwd: root,
      env: environment(),
      execPath: node,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let running;
    let [output, shown, begun] = ['', 0, false];
    lane.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const ended = [...output.slice(shown).matchAll(ENDING)].at(-1);
      if (ended) show(shown + ended.index + ended[0].length + '\n'.length);
    });
    lane.on('message', () => {
      begun = true;
      running = queue.shift();
      lane.send(running ?? END);
    });
    lane.on('close', () => {
      if (!begun) running = queue.shift(); // so that there is an end
      if (running) output += `\nfailed: ${running}: the file => ended before its tests\n0 passed, 1 failed\n`;
      show(output.length);
      // One that ended before its time is followed by another: no file is left out.
      if (queue.length) runLane(queue).then((rest) => resolve(output + rest));
      else resolve(output);
    });
    function show(end) {
      process.stdout.write(output.slice(shown, end));
      shown = end;
    }
  });
}

/**
 * Runs the files of failed tests a second time, alone: on a loaded machine a test may fail for want of time beside the other lanes.
 * A test that passes then counts as passed and is named; `lines` say what became of each.
 */
async function runAlone(failures) {
  const files = [...new Set(failures.map(([, file]) => file))].filter((file) => file.endsWith('.test.ts'));
  if (!files.length) return { passed: 0, lines: failures.map(([line]) => line) };
  console.log(`\nOnce more, alone: ${files.join(', ')}`);
  const { status, output } = await run([...args, ...files], process.stdout);
  const still = new Set([...output.matchAll(FAILED)].map(([, file, title]) => `${file}: ${title}`));
  const ended = status === 0 || still.size > 0;
  const passes = ([, file, title]) => ended && files.includes(file) && !still.has(`${file}: ${title}`);
  return {
    passed: failures.filter(passes).length,
    lines: failures.map((failure) =>
      passes(failure) ? failure[0].replace(/^failed/, 'passed only alone') : failure[0],
    ),
  };
}

/** Processes that tests start are many: what Node compiled for one is kept for the next. */
function environment() {
  return {
    ...process.env,
    NODE_COMPILE_CACHE:
      process.env.NODE_COMPILE_CACHE ??
      fileURLToPath(new URL('../node_modules/.cache/intake-tests/compiled', import.meta.url)),
  };
}

/** Mocha on these files; what it prints is kept and, to `shown`, passed on. */
function run(files, shown) {
  return new Promise((resolve) => {
    const color = process.stdout.isTTY ? ['--color'] : [];
    const child = spawn(node, [mocha, ...color, ...files], {
      cwd: root,
      env: environment(),
      stdio: ['inherit', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      shown?.write(text);
    });
    child.on('close', (status) => resolve({ status: status ?? 1, output }));
  });
}
