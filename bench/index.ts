/** `npm run bench -- plaintiffs --rows 1000000`: Intake beside its alternatives, on the same file and the same database. */
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { Client } from 'pg';
import { stopStack } from '../src/local/stack.ts';
import { besideBaseline } from './baseline.ts';
import type { Contender, Counts, Course } from './contenders/contender.ts';
import { serverSettings } from './database.ts';
import { differences, measure } from './measure.ts';
import { DATA, keptStack } from './ownStack.ts';
import { judgments } from './subjects/judgments.ts';
import { plaintiffs } from './subjects/plaintiffs.ts';
import { projects } from './subjects/projects.ts';
import { searchResults } from './subjects/searchResults.ts';
import type { Subject } from './subjects/subject.ts';
import { phasesOf, tableOf } from './table.ts';

const SUBJECTS: readonly Subject[] = [plaintiffs, judgments, searchResults, projects];

interface Options {
  readonly rows?: number;
  readonly files?: number;
  readonly imageBytes?: number;
  readonly seed: number;
  readonly repeat: number;
  readonly into: number;
  readonly only?: readonly Contender[];
  readonly json?: true;
  readonly againstBaseline?: true;
}

const program = new Command('bench').description('Measures Intake beside its alternatives.');
for (const subject of SUBJECTS) {
  const command = program
    .command(subject.name)
    .option(
      `--${subject.unit} <n>`,
      subject.unit === 'rows' ? 'rows of the file' : 'files of the directory',
      count,
      subject.rows,
    )
    .option('--seed <n>', 'seed of the file', count, 1)
    .option('--repeat <n>', 'rounds over the contenders; of each the median counts', count, 1)
    .option('--into <n>', 'plaintiffs that are there before', count, 0)
    .option('--only <names>', `some of ${subject.contenders.map(({ name }) => name).join(',')}`, (names: string) =>
      chosen(subject, names),
    )
    .option('--json', 'results as JSON on stdout')
    .option('--against-baseline', 'fail when a ratio is half of that of the last release or less')
    .action((options: Options) => bench(subject, options));
  if (subject.imageBytes) command.option('--image-bytes <n>', 'size of an image', count, subject.imageBytes);
}
await program.parseAsync();

async function bench(subject: Subject, options: Options): Promise<void> {
  const { seed, repeat, into, only = subject.contenders, json, imageBytes } = options;
  const rows = options[subject.unit] as number;
  const workDir = join(DATA, 'work');
  await mkdir(workDir, { recursive: true });
  const files = await subject.filesOf(DATA, rows, seed, imageBytes);
  const stack = await keptStack(say);
  const database = new Client({ connectionString: stack.adminUrl });
  await database.connect();
  try {
    const course: Course = {
      stack,
      database,
      kind: subject.kind,
      rows,
      seed,
      into,
      workDir,
      ...files,
      count: async () => withoutNeighbours(await subject.count(database), into),
    };
    say(`${rows} ${subject.unit}, seed ${seed}; ${cpus().length} cores; ${await serverSettings(database)}`);
    const results = await measure(only.filter(isHere), course, repeat, say);
    const faults = differences(results, rows, (taken) => subject.expected(taken, seed));
    if (json)
      console.log(JSON.stringify({ subject: subject.name, rows, seed, repeat, results, differences: faults }, null, 2));
    else
      console.log(
        [
          tableOf(results, rows, subject.ratios, subject.unit),
          '',
          ...results.filter(({ phases }) => phases).map(phasesOf),
        ].join('\n'),
      );
    say(
      faults.length === 0
        ? `Every contender that counts made of the ${subject.unit} what they were made for.`
        : `The numbers differ: ${faults.join('; ')}`,
    );
    const { sentences, worse } = besideBaseline(subject, results, rows);
    sentences.forEach(say);
    if (faults.length > 0 || (options.againstBaseline && worse)) process.exitCode = 1;
  } finally {
    await database.end();
    await stopStack(stack.dir);
  }
}

function withoutNeighbours(counts: Counts, into: number): Counts {
  const { plaintiffs } = counts;
  return plaintiffs === undefined ? counts : { ...counts, plaintiffs: plaintiffs - into };
}

function isHere({ name, missing }: Contender): boolean {
  const reason = missing();
  if (reason !== undefined) say(`${name}: skipped, ${reason}`);
  return reason === undefined;
}

function say(line: string): void {
  console.error(line);
}

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new Error(`a number, not '${text}'`);
  return n;
}

function chosen({ contenders }: Subject, names: string): Contender[] {
  return names.split(',').map((name, i, all) => {
    const contender = contenders.find((c) => c.name === name);
    if (!contender) throw new Error(`no contender '${name}'`);
    const { follows } = contender;
    if (follows && contenders.find((c) => c.name === all[i - 1])?.name !== follows)
      throw new Error(`'${name}' goes on from '${follows}': name that before it`);
    return contender;
  });
}
