/** The CLI: loads the one command that is asked for, runs it and ends with its exit code. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { exitWith } from './cli/exit.ts';
import { reportError } from './cli/fault.ts';
import { isInterrupted } from './cli/interrupt.ts';

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
  demo: ['Bring up the stack and import the samples', () => import('./cli/commands/demo.ts')],
} as const;
type CommandName = keyof typeof COMMANDS;

/** Words that people try: `intake`, `intake help import`, `intake -v`. */
function usual([first, second, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return ['--help'];
  if (first === 'help') return second === undefined ? ['--help'] : [second, '--help'];
  if (first === '-v' || first === 'version') return ['--version'];
  return second === undefined ? [first] : [first, second, ...rest];
}

/**
 * The command among the words, options of its own before it included, and the words with it first. A word is the command when the
 * options of that command leave it as the first argument: the value of one is none.
 */
async function commandIn(argv: readonly string[]): Promise<{ name: CommandName | undefined; words: string[] }> {
  const places = [...argv.keys()].filter((at) => Object.hasOwn(COMMANDS, argv[at]!));
  const at = places[0] === 0 ? 0 : ((await firstAsync(places, (place) => isArgument(argv, place))) ?? places[0]);
  if (at === undefined) return { name: undefined, words: [...argv] };
  const name = argv[at] as CommandName;
  return { name, words: [name, ...argv.slice(0, at), ...argv.slice(at + 1)] };
}

async function isArgument(argv: readonly string[], at: number): Promise<boolean> {
  const probe = new Command();
  (await COMMANDS[argv[at] as CommandName][1]()).define(probe);
  const command = probe.commands.find((one) => one.name() === argv[at]);
  try {
    return command?.parseOptions(argv.with(at, '\0')).operands[0] === '\0';
  } catch {
    return true; // it knows the option, and will say what is wrong with its value
  }
}

async function firstAsync<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of items) if (await holds(item)) return item;
  return undefined;
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
  const { name, words } = await commandIn(argv);
  if (name) {
    const { define } = await COMMANDS[name][1]();
    define(program);
  } else {
    for (const [command, [summary]] of Object.entries(COMMANDS)) program.command(command).description(summary);
  }
  try {
    await program.parseAsync(words, { from: 'user' });
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
