/**
 * cli/: The command line: what every command shares. No SQL, no options of Temporal.
 *
 * What every command shares: its options, its output, its session, its end.
 */
import { Option, type Command } from 'commander';
import { createOutput, type Output, type OutputOptions } from './output.ts';
import { closeSession, openSession, type Session, type SessionOptions } from './session.ts';

export interface CommonOptions extends OutputOptions {
  readonly env?: string;
  readonly dir?: string;
}

export interface Call<O> {
  readonly args: readonly (string | undefined)[];
  readonly options: O;
  readonly out: Output;
  /** Configuration and connections; brings up the embedded stack when nothing is configured. */
  open(how?: Pick<SessionOptions, 'embedded'>): Promise<Session>;
}

/** Adds a command with the options that all have. */
export function addCommand(program: Command, name: string, description: string, example: string): Command {
  return program
    .command(name)
    .description(description)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addOption(new Option('--env <name>', 'read .env.<name> (or SUPABASE_MODE)'))
    .option('--dir <folder>', 'folder of the embedded stack (.intake, or INTAKE_DIR)')
    .option('--json', 'one JSON document on stdout')
    .option('--pretty', 'the same, indented')
    .option('--quiet', 'only the answer')
    .option('--no-color', 'no colours (or NO_COLOR)')
    .option('--debug', 'more words, and the stack of an error')
    .addHelpText(
      'after',
      `\nExample:\n${example
        .split('\n')
        .map((line) => `  ${line}`)
        .join('\n')}`,
    );
}

/** Runs a command's body; its answer is the exit code (nothing: 0). */
export function run<O extends CommonOptions>(body: (call: Call<O>) => Promise<number | void>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const options = command.opts<O>();
    const out = createOutput(options);
    let session: Promise<Session> | undefined;
    const open: Call<O>['open'] = (how) =>
      (session ??= openSession({ mode: options.env, dir: options.dir, onStep: out.note, ...how }));
    try {
      process.exitCode = (await body({ args: command.args, options, out, open })) ?? 0;
    } finally {
      await closeSession(await session?.catch(() => undefined));
    }
  };
}
