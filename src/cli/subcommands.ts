/** Commands of several words: each has a help of its own, and takes only what it says. */
import { Option, type Argument, type Command } from 'commander';
import { IntakeError } from '../errors.ts';
import { didYouMean } from '../values/nearest.ts';
import { exampleText, run, type Call, type CommonOptions } from './command.ts';

export interface Subcommand<O> {
  readonly summary: string;
  /** `<id>`, or the argument itself. */
  readonly args?: readonly (readonly [words: string, description: string] | Argument)[];
  readonly options?: readonly Option[];
  readonly example: string;
  /** What it does; `args` begins with its name. */
  readonly body: (call: Call<O>) => Promise<number | void>;
  /** It prints a list, in the format that is asked for. */
  readonly lists?: boolean;
  /** What the command does without a word. */
  readonly isDefault?: boolean;
}

/** The format of a list. */
const outputOption = (): Option =>
  new Option('--output <format>', 'table, json (as --json), or jsonl: one document a line').choices([
    'table',
    'json',
    'jsonl',
  ]);

export function addSubcommands<O extends CommonOptions>(
  parent: Command,
  subcommands: Readonly<Record<string, Subcommand<O>>>,
): Command {
  parent.helpCommand(false).configureHelp({ showGlobalOptions: true });
  for (const [name, { summary, args = [], options = [], example, body, lists, isDefault = false }] of Object.entries(
    subcommands,
  )) {
    const command = parent.command(name, { isDefault }).description(summary).allowExcessArguments();
    command.configureHelp({ showGlobalOptions: true });
    for (const arg of args) {
      if ('required' in arg) command.addArgument(arg);
      else command.argument(...arg);
    }
    for (const option of options) command.addOption(option);
    if (lists) command.addOption(outputOption());
    command.addHelpText('after', exampleText(example));
    const names = Object.keys(subcommands);
    command.action(
      run((call: Call<O>) => {
        const surplus = call.args[command.registeredArguments.length + 1];
        if (surplus !== undefined) throw surplusError(parent.name(), name, surplus, isDefault ? names : []);
        return body(call);
      }),
    );
  }
  return parent;
}

function surplusError(parent: string, name: string, word: string, names: readonly string[]): IntakeError {
  return new IntakeError('USAGE', `'${word}' means nothing to intake ${parent}${didYouMean(word, names)}`, {
    remedy: names.length > 0 ? `Use one of: ${names.join(', ')}.` : `See intake ${parent} ${name} --help.`,
  });
}
