/**
 * cli/requests/: Words and flags into requests.
 *
 * What the words after `intake import` ask for.
 */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { Argument, type Command, type Option } from 'commander';
import type { ImportRequest } from '../../messages/requests.ts';
import { IntakeError } from '../../errors.ts';
import { findKind, kindNamed, KINDS, kindsTaking } from '../../kinds/index.ts';
import type { Kind, KindOption } from '../../kinds/kind.ts';
import type { ImportOptions } from '../../messages/imports.ts';
import type { CommonOptions } from '../command.ts';
import { backendNamed } from '../session.ts';
import { tenantNamed } from './values.ts';

export interface ImportFlags extends CommonOptions {
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
  readonly nullWords?: readonly string[];
  readonly decodeHtml?: boolean;
  readonly match?: 'names' | 'contact';
  readonly onConflict?: 'skip' | 'update';
  readonly detach?: boolean;
  readonly rejects?: string;
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
const only = (option: KindOption): string => kindsTaking(option).join(', ');

/** Headings of the help, and what stands under each; what has none is for files. */
const GROUPS: readonly (readonly [heading: string, options: string])[] = [
  ['What people use most', 'commit dry-run map source-system source max-errors rejects force detach'],
  ['Of every kind', 'batch-id batch-name source-reference backend debug-log'],
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
  const flags = command
    .allowExcessArguments() // several files get a sentence of their own
    .addArgument(kind)
    .argument('[path]', 'the file or directory')
    .option('--csv <path>', 'the file')
    .option('--file <path>', 'the file')
    .option('--source <name>', 'who sent it; without a kind: the kind')
    .option('--source-system <name>', 'who sent it')
    .option('--tenant <name>', 'another word for --source-system')
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
    .option('--date-order <order>', 'mdy or dmy', parseOrder)
    .option('--header-row <n>', 'line of the header (found)', parseSize)
    .option('--strict-headers', 'refuse a file with a header that is not taken')
    .option(
      '--null-words <words>',
      "words of empty cells, with commas; '' for none (NULL,\\N,#N/A,nan,...)",
      parseWords,
    )
    .option('--decode-html', 'decode HTML entities (&amp;)')
    .option(
      '--match <rule>',
      'a shared e-mail or phone counts between compatible names (names), or alone (contact)',
      parseMatch,
    )
    .option(
      '--on-conflict <what>',
      `${only('onConflict')}: skip a row whose key is known, or update what it says otherwise (skip)`,
      parseOnConflict,
    )
    .option('--detach', 'start it and return')
    .option('--rejects <file>', 'write the rejected rows there')
    .option('--force', 'let --rejects overwrite a file')
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

/** @throws IntakeError USAGE. */
export function importRequest(words: readonly (string | undefined)[], flags: ImportFlags): ImportRequest {
  const [first, second] = words;
  if (words.length > 2)
    throw new IntakeError('USAGE', 'Several files are given, and an import takes one', {
      remedy: `Import one after another: for file in *.csv; do intake import ${first} "$file"; done`,
    });
  const named = findKind(flags.source ?? '') !== undefined;
  const byPosition = first !== undefined && !(named && second === undefined && !isKind(first));
  const kind = byPosition ? first : named ? flags.source : undefined;
  if (kind === undefined)
    throw new IntakeError('USAGE', 'Which kind of file is it?', {
      remedy: `Use one of: ${KINDS.map((k) => k.name).join(', ')}.`,
    });
  refuseForeignOptions(kindNamed(kind), flags);
  if (kindNamed(kind).reads === 'directory') return directoryRequest(kind, byPosition ? second : first, flags);
  const paths = [...new Set([byPosition ? second : first, flags.csv, flags.file].filter((path) => path !== undefined))];
  if (paths.length !== 1)
    throw new IntakeError('USAGE', paths.length ? 'More than one file is given' : 'Which file?', {
      remedy: `Write intake import ${kind} FILE.`,
    });
  if (flags.commit && flags.dryRun) throw new IntakeError('USAGE', '--commit and --dry-run exclude each other');
  if (flags.commit && flags.detach && flags.rejects) {
    throw new IntakeError('USAGE', '--rejects needs the end of the import', {
      remedy: 'Leave --detach away, or use `intake rejects ID` afterwards.',
    });
  }
  if (flags.match && !kindNamed(kind).options.includes('match'))
    throw new IntakeError('USAGE', `--match is for ${only('match')}`);
  if (flags.onConflict && !kindNamed(kind).options.includes('onConflict'))
    throw new IntakeError('USAGE', `--on-conflict is for ${only('onConflict')}`);
  const sourceSystem = sourceOf(kind, flags, byPosition ? flags.source : undefined);
  const backend = backendNamed(flags.backend);
  const { batchId, batchName, sourceReference, map, encoding, delimiter, maxErrors, dateOrder, skipJobs } = flags;
  const { headerRow, strictHeaders, nullWords, decodeHtml, match, onConflict } = flags;
  return {
    kind,
    path: paths[0] as string,
    mode: flags.commit ? 'commit' : 'dry-run',
    ...defined({ backend, sourceSystem, batchId, batchName, sourceReference }),
    ...(flags.rejects && !flags.commit ? { rejectsPath: flags.rejects } : {}),
    options: defined({
      map,
      encoding,
      delimiter,
      maxErrors,
      dateOrder,
      skipJobs,
      headerRow,
      strictHeaders,
      nullWords,
      decodeHtml,
      match,
      onConflict,
    }),
  };
}

/** Options of files alone, and those that each kind takes or not. */
const FILE_OPTIONS = [
  ...(['map', 'encoding', 'delimiter', 'maxErrors', 'dateOrder', 'skipJobs'] as const),
  ...(['headerRow', 'strictHeaders', 'nullWords', 'decodeHtml', 'match', 'onConflict'] as const),
] as const;
const KIND_OPTIONS = [
  ...(['statesDir', 'tag', 'delta', 'verifyWrites', 'singleFile', 'imagesDir'] as const),
  ...(['batchSize', 'maxWorkers', 'maxConcurrentUploads'] as const),
] as const;

/** What would be ignored is refused: whoever gave it means something by it. */
function refuseForeignOptions({ name, reads, options }: Kind, flags: ImportFlags): void {
  const given: readonly string[] = [
    ...KIND_OPTIONS.filter((option) => !options.includes(option)),
    ...(reads === 'directory' ? FILE_OPTIONS : []),
  ].filter((option) => flags[option as keyof ImportFlags] !== undefined);
  if (given.length > 0) {
    const words = given.map((option) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    throw new IntakeError('USAGE', `'${name}' does not take ${words.join(', ')}`, {
      remedy: `Leave it away; intake import --help says what each option is for.`,
    });
  }
  for (const text of [flags.sourceSystem, flags.tenant, flags.batchId, flags.batchName])
    if (text?.trim() === '')
      throw new IntakeError('USAGE', 'A name is empty', {
        remedy: 'Give it, or leave the option away for the default.',
      });
}

/** Who sent a file; of projects, whose they are. */
function sourceOf(kind: string, { sourceSystem, tenant }: ImportFlags, source: string | undefined): string | undefined {
  const given = [...new Set([sourceSystem, tenant, source].filter((name) => name !== undefined))];
  if (given.length > 1)
    throw new IntakeError('USAGE', 'More than one source system is given', {
      remedy: 'Give one of --source-system, --source and --tenant.',
    });
  if (!kindNamed(kind).sourceIsTenant) {
    if (tenant !== undefined)
      throw new IntakeError('USAGE', `'${kind}' has no tenants`, { remedy: 'Write --source-system NAME.' });
    return given[0];
  }
  return given[0] === undefined
    ? undefined
    : tenantNamed(given[0], `Write intake import ${kind} FILE --tenant TENANT.`);
}

/** `--single-file` needs no directory: then it is the file's own. */
function directoryRequest(kind: string, path: string | undefined, flags: ImportFlags): ImportRequest {
  if (flags.commit && flags.dryRun) throw new IntakeError('USAGE', '--commit and --dry-run exclude each other');
  const directories = [...new Set([path, flags.statesDir, flags.csv, flags.file].filter((word) => word !== undefined))];
  if (directories.length > 1)
    throw new IntakeError('USAGE', 'More than one directory is given', {
      remedy: `Write intake import ${kind} --states-dir DIR --tag NAME.`,
    });
  const root = directories[0] ?? (flags.singleFile && dirname(flags.singleFile));
  if (!root)
    throw new IntakeError('USAGE', 'Which directory?', {
      remedy: `Write intake import ${kind} --states-dir DIR --tag NAME.`,
    });
  const singleFile = flags.singleFile && withinRoot(root, flags.singleFile);
  const backend = backendNamed(flags.backend);
  const {
    sourceSystem = flags.source === kind ? undefined : flags.source,
    batchId,
    batchName,
    sourceReference,
  } = flags;
  const { tag, delta, verifyWrites, batchSize, maxWorkers, maxConcurrentUploads, imagesDir } = flags;
  return {
    kind,
    path: root,
    mode: flags.commit ? 'commit' : 'dry-run',
    ...defined({ backend, sourceSystem, batchId, batchName, sourceReference }),
    ...(flags.rejects && !flags.commit ? { rejectsPath: flags.rejects } : {}),
    directory: defined({
      tag,
      delta,
      verifyWrites,
      batchSize,
      maxWorkers,
      maxConcurrentUploads,
      singleFile,
      imagesDir,
    }),
  };
}

/** The file below the root, whether it is given from here or from there. */
function withinRoot(root: string, file: string): string {
  const fromHere = relative(resolve(root), resolve(file));
  const inside = fromHere.startsWith('..') || isAbsolute(fromHere) ? file : fromHere;
  return inside.split(sep).join('/');
}

const isKind = (word: string): boolean => findKind(word) !== undefined;

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const defined = <T extends object>(object: T): Defined<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;

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

const parseWords = (text: string): string[] => text.split(',').flatMap((word) => word.trim() || []);

function parseSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > 1000)
    throw new IntakeError('USAGE', `'${text}' is not a number from 1 to 1000`);
  return size;
}

function parseMatch(text: string): 'names' | 'contact' {
  if (text === 'names' || text === 'contact') return text;
  throw new IntakeError('USAGE', '--match is names or contact');
}

function parseOnConflict(text: string): 'skip' | 'update' {
  if (text === 'skip' || text === 'update') return text;
  throw new IntakeError('USAGE', '--on-conflict is skip or update');
}

function parseOrder(text: string): 'mdy' | 'dmy' {
  if (text === 'mdy' || text === 'dmy') return text;
  throw new IntakeError('USAGE', '--date-order is mdy or dmy');
}
