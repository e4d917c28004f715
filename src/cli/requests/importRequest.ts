/**
 * cli/requests/: Words and flags into requests.
 *
 * What the words after `intake import` ask for.
 */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { ImportRequest } from '../../messages/requests.ts';
import { IntakeError } from '../../errors.ts';
import { findKind, kindNamed, KINDS } from '../../kinds/index.ts';
import type { Kind } from '../../kinds/kind.ts';
import { backendNamed } from '../session.ts';
import { only, type ImportFlags } from './importFlags.ts';
import { imagesOfSingle } from './singleImage.ts';
import { tenantNamed } from './values.ts';

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
  refuseFilesOfDetached(flags);
  if (flags.match && !kindNamed(kind).options.includes('match'))
    throw new IntakeError('USAGE', `--match is for ${only('match')}`);
  if (flags.onConflict && !kindNamed(kind).options.includes('onConflict'))
    throw new IntakeError('USAGE', `--on-conflict is for ${only('onConflict')}`);
  if (flags.differences && !kindNamed(kind).options.includes('onConflict'))
    throw new IntakeError('USAGE', `--differences is for ${only('onConflict')}`);
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
    ...(flags.differences && !flags.commit ? { differencesPath: flags.differences } : {}),
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

/** Of a commit they are written at its end, by the command that waits for it. */
function refuseFilesOfDetached({ commit, detach, rejects, differences }: ImportFlags): void {
  const given = rejects ? 'rejects' : differences ? 'differences' : undefined;
  if (commit && detach && given)
    throw new IntakeError('USAGE', `--${given} needs the end of the import`, {
      remedy: `Leave --detach away, or use \`intake ${rejects ? 'rejects ID' : 'runs differences ID'}\` afterwards.`,
    });
  if (rejects !== undefined && rejects === differences)
    throw new IntakeError('USAGE', '--rejects and --differences name one file', {
      remedy: 'Give each a file of its own.',
    });
}

/** Options of files alone, and those that each kind takes or not. */
const FILE_OPTIONS = [
  ...(['map', 'encoding', 'delimiter', 'maxErrors', 'dateOrder', 'skipJobs'] as const),
  ...(['headerRow', 'strictHeaders', 'match', 'onConflict', 'differences'] as const),
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
  const { tag, delta, verifyWrites, batchSize, maxWorkers, maxConcurrentUploads, nullWords, decodeHtml } = flags;
  const { imagesDir = directories.length === 0 && singleFile ? imagesOfSingle(flags.singleFile!) : undefined } = flags;
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
      nullWords,
      decodeHtml,
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
