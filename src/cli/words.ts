/** Which command the words mean: options stand in any place, and what is an option's value is no command. */
import { Command, type Option, type ParseOptionsResult } from 'commander';

type Define = (program: Command) => void;

/**
 * The words with the command and its subcommand first. Commander itself says which words are values of options.
 * @param load gives the command of a name, or undefined.
 */
export async function arrange(
  words: readonly string[],
  load: (name: string) => Promise<Define> | undefined,
): Promise<{ readonly name: string; readonly define: Define; readonly words: readonly string[] } | undefined> {
  const tried: { readonly name: string; readonly define: Define; readonly command: Command }[] = [];
  for (const name of new Set(words)) {
    const define = await load(name);
    if (!define) continue;
    const program = new Command();
    define(program);
    tried.push({ name, define, command: program.commands.find((each) => each.name() === name) as Command });
  }
  // One that does not know an option before its name is meant only if no other is: then it says so.
  const meant =
    tried.find(({ name, command }) => parsed(command, words).operands[0] === name) ??
    tried.find(({ name, command }) => wordsOf(command, words)[0] === name);
  if (!meant) return undefined;
  const { name, define, command } = meant;
  const [, second] = wordsOf(command, words);
  const rest = words.toSpliced(words.indexOf(name), 1);
  const sub = command.commands.find((each) => each.name() === second)?.name();
  return {
    name,
    define,
    words: sub === undefined ? [name, ...rest] : [name, sub, ...rest.toSpliced(rest.indexOf(sub), 1)],
  };
}

/** Also those behind an option that the command does not know. */
function wordsOf(command: Command, words: readonly string[]): readonly string[] {
  const { operands, unknown } = parsed(command, words);
  return [...operands, ...unknown.filter((word) => !word.startsWith('-'))];
}

/** The words that are neither options of the command or of its subcommands, nor values of these. */
function parsed(command: Command, words: readonly string[]): ParseOptionsResult {
  const all = new Map<string, Option>();
  for (const { options } of [command, ...command.commands])
    for (const option of options) if (!all.has(option.name())) all.set(option.name(), option);
  const probe = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  // What a value is worth is seen later; here it only has its place.
  for (const { flags } of all.values()) probe.option(flags);
  const end = words.indexOf('--');
  return probe.parseOptions(words.filter((_, i) => end < 0 || i < end));
}
