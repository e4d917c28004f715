/** Program: `manPage FILE` writes the man page of the command line, made from its help texts; `npm run build` calls it. */
import { readdirSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { addCommand } from './command.ts';

interface Definition {
  readonly define?: (program: Command) => void;
}

/** Text as roff takes it: no word of it is a request. */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');

const entries = (items: readonly (readonly [string, string])[]): string[] =>
  items.flatMap(([term, text]) => ['.TP', `.B ${plain(term)}`, plain(text)]);

async function allCommands(): Promise<readonly Command[]> {
  const program = new Command('intake');
  const folder = new URL('commands/', import.meta.url);
  for (const file of readdirSync(folder).sort()) {
    if (!/\.[tj]s$/.test(file) || file.endsWith('.d.ts')) continue;
    ((await import(new URL(file, folder).href)) as Definition).define?.(program);
  }
  return program.commands.toSorted((a, b) => (a.name() < b.name() ? -1 : 1));
}

/** The page of these commands; what all have stands once. */
function manPage(commands: readonly Command[]): string {
  const common = addCommand(new Command(), 'any', '', '').options;
  const isCommon = (flags: string): boolean => common.some((option) => option.flags === flags);
  const section = (command: Command): string[] => {
    const help = command.createHelp();
    const listed = help.visibleOptions(command).filter(({ flags, long }) => long !== '--help' && !isCommon(flags));
    return [
      '.SS',
      plain(help.commandUsage(command).replace(/^.*?intake /, '')),
      plain(help.commandDescription(command)),
      ...entries(help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)])),
      ...entries(listed.map((one) => [help.optionTerm(one), help.optionDescription(one)])),
    ];
  };
  return [
    '.TH INTAKE 1',
    '.SH NAME',
    'intake \\- durable file imports into Supabase and PostgreSQL',
    '.SH SYNOPSIS',
    '.B intake',
    '.I command',
    '[\\fIargument\\fR ...] [\\fIoption\\fR ...]',
    '.SH OPTIONS OF EVERY COMMAND',
    ...entries(common.map(({ flags, description }) => [flags, description])),
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH EXIT STATUS',
    ...entries([
      ['0', 'done, dry run or duplicate'],
      ['1', 'the run failed or is in progress elsewhere'],
      ['2', 'wrong use or unusable input'],
      ['130', 'interrupted'],
    ]),
    '',
  ].join('\n');
}

writeFileSync(process.argv[2]!, manPage(await allCommands()));
