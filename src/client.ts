/** The CLI: loads the one command that is asked for, runs it and ends with its exit code. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { exitWith } from './cli/exit.ts';
import { reportError } from './cli/fault.ts';
import { isInterrupted } from './cli/interrupt.ts';
import { arrange } from './cli/words.ts';

const VERSION = (createRequire(import.meta.url)('../package.json') as { version: string }).version;

/** Loaded one at a time, so that a command pays only for itself. */
const COMMANDS = {
  up: ['Bring up the embedded stack', () => import('./cli/commands/stack.ts')],
  down: ['Stop the embedded stack; its data stays', () => import('./cli/commands/stack.ts')],
  import: ['Import a file or directory; a dry run unless --commit', () => import('./cli/commands/import.ts')],
  runs: ['List, show and watch runs; the operator queries', () => import('./cli/commands/runs.ts')],
  rejects: [
    'Write the rejected rows of a run, byte for byte; of a directory its failed items',
    () => import('./cli/commands/rejects.ts'),
  ],
  reconcile: ['Count the tables against what a run reported', () => import('./cli/commands/reconcile.ts')],
  rollback: ['Roll back what a run imported', () => import('./cli/commands/rollback.ts')],
  cancel: ['Stop a running import', () => import('./cli/commands/cancel.ts')],
  resume: ['Resume a failed or cancelled run', () => import('./cli/commands/resume.ts')],
  verify: ['Compare a source file with the database, row by row', () => import('./cli/commands/verify.ts')],
  queue: ['List or delete the queued jobs of runs', () => import('./cli/commands/queue.ts')],
  schema: ['Columns, headers and requirements of a kind, as JSON Schema', () => import('./cli/commands/schema.ts')],
  doctor: ['Check everything Intake needs', () => import('./cli/commands/doctor.ts')],
  smoke: ['Check who sees the rows of a run', () => import('./cli/commands/smoke.ts')],
  migrate: ['Apply the migrations, or list what is pending', () => import('./cli/commands/migrate.ts')],
  worker: ['Run a worker until it is stopped', () => import('./cli/commands/worker.ts')],
  gateway: ['Serve POST /import-projects until it is stopped', () => import('./cli/commands/gateway.ts')],
  users: ['Grant, list and revoke dashboard roles', () => import('./cli/commands/users.ts')],
  tenants: ['Add and list tenants of the gateway, rotate their secrets', () => import('./cli/commands/tenants.ts')],
  projects: [
    'Push a file of projects to the gateway in batches; backfill memberships',
    () => import('./cli/commands/projects.ts'),
  ],
  anomalies: ['List and count anomalies of projects; alert about them', () => import('./cli/commands/anomalies.ts')],
  retention: [
    'Delete old batches and anomalies of projects; preview, statistics',
    () => import('./cli/commands/retention.ts'),
  ],
  schedule: ['Manage schedules', () => import('./cli/commands/schedule.ts')],
  completion: ['Print the completion script of a shell', () => import('./cli/commands/completion.ts')],
  complete: ['Answer a completion script', () => import('./cli/commands/completion.ts')],
  demo: ['Bring up the stack and import the samples', () => import('./cli/commands/demo.ts')],
} as const;

/** Words that people try: `intake`, `intake help import`, `intake -v`. */
function usual([first, second, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return ['--help'];
  // What is no command is said to be none.
  if (first === 'help')
    return second === undefined ? ['--help'] : isCommand(second) ? [second, ...rest, '--help'] : [second];
  if (first === '-v' || first === 'version') return ['--version'];
  return second === undefined ? [first] : [first, second, ...rest];
}

type CommandName = keyof typeof COMMANDS;

const isCommand = (word: string): word is CommandName => Object.hasOwn(COMMANDS, word);
const VISIBLE = (Object.keys(COMMANDS) as CommandName[]).filter((name) => name !== 'complete');

/** Completion knows every command. */
async function defineAll(program: Command): Promise<void> {
  for (const name of VISIBLE) {
    // One file may define two commands.
    if (name === 'completion' || program.commands.some((command) => command.name() === name)) continue;
    (await COMMANDS[name][1]()).define(program);
  }
  (await import('./cli/commands/completion.ts')).defineCompletion(program);
}

async function main(given: readonly string[]): Promise<number> {
  const argv = usual(given);
  const program = new Command('intake')
    .description('Durable file imports into Supabase and PostgreSQL; every import is one Temporal workflow.')
    .version(VERSION, '-V, --version')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addHelpText(
      'after',
      '\nExample:\n  intake import plaintiffs plaintiffs.csv --commit\n\nintake <command> --help tells more.',
    );
  let name: CommandName | undefined;
  try {
    const arranged = await arrange(argv, (word) =>
      isCommand(word) ? COMMANDS[word][1]().then(({ define }) => define) : undefined,
    );
    name = arranged?.name as CommandName | undefined;
    if (name === 'completion' || name === 'complete') await defineAll(program);
    else if (arranged) arranged.define(program);
    else for (const command of VISIBLE) program.command(command).description(COMMANDS[command][0]);
    await program.parseAsync(arranged?.words ?? argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // A program that ended by the same Ctrl-C is no reason of its own.
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (isInterrupted()) await new Promise(() => undefined);
    return reportError(error, {
      json: argv.includes('--json') || argv.includes('--pretty'),
      debug: argv.includes('--debug'),
      command: name,
    });
  }
}

await exitWith(await main(process.argv.slice(2)));
