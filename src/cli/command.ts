/**
 * cli/: The command line: what every command shares. No SQL, no options of Temporal.
 *
 * What every command shares: its options, its output, its session, its end.
 */
import { Option, type Command } from 'commander';
import { calledWith } from './asCalled.ts';
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
  open(how?: Pick<SessionOptions, 'embedded' | 'creates'>): Promise<Session>;
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
    .addHelpText('after', exampleText(example));
}

export const exampleText = (example: string): string =>
  `\nExample:\n${example
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}`;

export interface RunOptions {
  /** The body itself hears of a lost stack (`session.lost`), since it has a document for its errors. */
  readonly hearsLoss?: boolean;
}

/** Runs a command's body; its answer is the exit code (nothing: 0). It ends when the stack that it waits for cannot go on. */
export function run<O extends CommonOptions>(
  body: (call: Call<O>) => Promise<number | void>,
  { hearsLoss = false }: RunOptions = {},
) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<O>();
    calledWith(options);
    const out = createOutput(options);
    const args = command.parent?.parent ? [command.name(), ...command.args] : command.args;
    let session: Promise<Session> | undefined;
    let lose: (reason: unknown) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => (lose = reject));
    const open: Call<O>['open'] = (how) => {
      if (session) return session;
      session = openSession({ mode: options.env, dir: options.dir, onStep: out.note, ...how });
      session.then((opened) => (hearsLoss ? undefined : opened.lost.catch(lose))).catch(() => undefined);
      return session;
    };
    const closed = async () => closeSession(await session?.catch(() => undefined));
    process.exitCode = (await Promise.race([body({ args, options, out, open }).finally(closed), lost])) ?? 0;
  };
}
