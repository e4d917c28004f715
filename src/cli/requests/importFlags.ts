/** The options of `intake import`, and how their values are read. */
import { Argument, Option, type Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { KINDS, kindsTaking } from '../../kinds/index.ts';
import type { KindOption } from '../../kinds/kind.ts';
import type { ImportOptions } from '../../messages/imports.ts';
import type { CommonOptions } from '../command.ts';
import { textOptions, type TextFlags } from './textOptions.ts';

export interface ImportFlags extends CommonOptions, TextFlags {
  readonly csv?: string;
  readonly file?: string;
  readonly source?: string;
  readonly sourceSystem?: string;
  readonly tenant?: string;
  readonly batchId?: string;
  readonly batchName?: string;
  readonly sourceReference?: string;
  readonly commit?: boolean;
  readonly dryRun?: boolean;
  readonly skipJobs?: boolean;
  readonly map?: Record<string, string>;
  readonly encoding?: string;
  readonly delimiter?: string;
  readonly maxErrors?: NonNullable<ImportOptions['maxErrors']>;
  readonly dateOrder?: 'mdy' | 'dmy';
  readonly headerRow?: number;
  readonly strictHeaders?: boolean;
  readonly match?: 'names' | 'contact';
  readonly onConflict?: 'skip' | 'update';
  readonly detach?: boolean;
  readonly rejects?: string;
  readonly differences?: string;
  readonly force?: boolean;
  readonly backend?: string;
  readonly debugLog?: boolean;
  readonly statesDir?: string;
  readonly tag?: string;
  readonly batchSize?: number;
  readonly maxWorkers?: number;
  readonly maxConcurrentUploads?: number;
  readonly verifyWrites?: boolean;
  readonly singleFile?: string;
  readonly imagesDir?: string;
  readonly delta?: boolean;
}

/** Names of the kinds that an option is for. */
export const only = (option: KindOption): string => kindsTaking(option).join(', ');

/** Headings of the help, and what stands under each; what has none is for files. */
const GROUPS: readonly (readonly [heading: string, options: string])[] = [
  ['What people use most', 'commit dry-run map source-system source max-errors rejects differences force detach'],
  ['Of every kind', 'batch-id batch-name source-reference null-words decode-html backend debug-log'],
  [`Of files (${KINDS.flatMap(({ name, reads }) => (reads === 'csv' ? [name] : [])).join(', ')})`, ''],
  [`Of ${only('match')}`, 'match skip-jobs'],
  [`Of ${only('tenant')}`, 'tenant'],
  [
    `Of ${only('statesDir')}`,
    'states-dir tag delta verify-writes single-file images-dir batch-size max-workers max-concurrent-uploads',
  ],
  ['Of every command', 'env dir json pretty quiet no-color debug'],
];
const FILES = 2;

/** Gives the help its groups: the common ones first, then those of kinds. */
function grouped(command: Command): Command {
  const groupOf = ({ long }: Option): number => {
    const at = GROUPS.findIndex(([, names]) => names.split(' ').includes(long?.slice(2) ?? ''));
    return at < 0 ? FILES : at;
  };
  const options = command.options as Option[];
  options.sort((a, b) => groupOf(a) - groupOf(b));
  for (const option of options) option.helpGroup(`${GROUPS[groupOf(option)]![0]}:`);
  return command;
}

export function importFlags(command: Command): Command {
  const kind = new Argument('[kind]', 'what the file holds');
  kind.argChoices = KINDS.map(({ name }) => name); // for completion; an alias is taken, too
  const [nullWords, decodeHtml] = textOptions();
  const flags = command
    .allowExcessArguments() // several files get a sentence of their own
    .addArgument(kind)
    .argument('[path]', 'the file or directory')
    .option('--csv <path>', 'the file')
    .option('--file <path>', 'the file')
    .option('--source <name>', 'who sent it; without a kind: the kind')
    .option('--source-system <name>', 'who sent it')
    .option('--tenant <name>', 'the same as --source-system')
    .option('--batch-id <id>', 'names the batch (from the content)')
    .option('--batch-name <name>', "title of the batch (the file's stem)")
    .option('--source-reference <text>', 'reference of the batch at its source (the batch name)')
    .option('--commit', 'write; without it nothing is')
    .option('--dry-run', 'count and check only (the default)')
    .option('--skip-jobs', 'queue no jobs for what was imported')
    .option('--map <header=column>', 'a header of the file means this column; may be given again', addMapping)
    .option('--encoding <name>', 'utf-8, utf-16le, utf-16be, windows-1252 (detected)')
    .option('--delimiter <name>', 'comma, semicolon, tab, pipe (detected)')
    .option(
      '--max-errors <n>',
      'stop before production tables when more rows, or more percent (5%), are rejected',
      parseLimit,
    )
    .addOption(new Option('--date-order <order>', 'month or day first').choices(['mdy', 'dmy']))
    .option('--header-row <n>', 'line of the header (found)', parseSize)
    .option('--strict-headers', 'refuse a file with a header that is not taken')
    .addOption(nullWords!)
    .addOption(decodeHtml!)
    .addOption(
      new Option(
        '--match <rule>',
        'a shared e-mail or phone counts between compatible names (names), or alone (contact)',
      ).choices(['names', 'contact']),
    )
    .addOption(
      new Option(
        '--on-conflict <what>',
        `${only('onConflict')}: skip a row whose key is known, or update what it says otherwise (skip)`,
      ).choices(['skip', 'update']),
    )
    .option('--detach', 'start it and return')
    .option('--rejects <file>', 'write the rejected rows there')
    .option('--differences <file>', 'write there what rows of known keys say otherwise')
    .option('--force', 'let --rejects and --differences overwrite a file')
    .option('--backend <name>', 'supabase or postgres')
    .option('--debug-log', 'log every step to stderr, of search results every decision')
    .option('--states-dir <dir>', 'the directory')
    .option('--tag <name>', 'the dataset')
    .option('--delta', 'only what is new or changed since the last import of the tag')
    .option('--verify-writes', 'compare files and images with what was written, afterwards')
    .option('--single-file <file>', 'only this file')
    .option('--images-dir <dir>', 'where the images lie, if not below the directory')
    .option('--batch-size <n>', 'files a call to the database (25)', parseSize)
    .option('--max-workers <n>', 'files read at a time (16)', parseSize)
    .option('--max-concurrent-uploads <n>', 'uploads at a time (10)', parseSize);
  return grouped(flags);
}

function addMapping(text: string, map: Record<string, string> = {}): Record<string, string> {
  const at = text.lastIndexOf('=');
  const [theirs, ours] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at < 1 || !theirs || !ours)
    throw new IntakeError('USAGE', '--map needs a header and a column', {
      remedy: 'Write --map "Their Header=our_column".',
    });
  return { ...map, [theirs]: ours };
}

function parseLimit(text: string): NonNullable<ImportOptions['maxErrors']> {
  const [, number = '', percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? [];
  const value = Number(number);
  if (number === '' || (percent ? value > 100 : !Number.isInteger(value))) {
    throw new IntakeError('USAGE', '--max-errors is a number of rows or a percentage', {
      remedy: 'Write --max-errors 10 or --max-errors 2.5%.',
    });
  }
  return percent ? { percent: value } : { rows: value };
}

function parseSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > 1000)
    throw new IntakeError('USAGE', `'${text}' is not a number from 1 to 1000`);
  return size;
}
