/**
 * kinds/: What a file may hold: one kind a file, with all of its words. Reads and writes nothing.
 *
 * Kinds: what a file may hold. Each kind is one file in this folder that says everything about it, one line in `ALL`,
 * and its definitions in SQL. Nothing here reads or writes.
 */
import { IntakeError, ROW_ERRORS } from '../errors.ts';
import { didYouMean } from '../values/nearest.ts';
import { jbi } from './jbi.ts';
import type { CsvKind, DirectoryKind, KindOption } from './kind.ts';
import { plaintiffs } from './plaintiffs.ts';
import { projects } from './projects.ts';
import { searchResults } from './searchResults.ts';
import { simplicity } from './simplicity.ts';

const ALL: readonly (CsvKind | DirectoryKind)[] = [plaintiffs, simplicity, jbi, projects, searchResults];

/** All kinds in the order in which they are listed; each of files knows the others, apart those of its family. */
export const KINDS: readonly (CsvKind | DirectoryKind)[] = ALL.map((kind) => {
  if (kind.reads !== 'csv') return kind;
  const rest = ALL.filter((other) => other.reads === 'csv').filter((other) => other !== kind);
  const isNear = ({ family }: CsvKind): boolean => family !== undefined && family === kind.family;
  return { ...kind, confusableWith: rest.filter(isNear), others: rest.filter((other) => !isNear(other)) };
});

/** A kind by its name or an alias. */
export const findKind = (name: string): CsvKind | DirectoryKind | undefined =>
  KINDS.find((kind) => kind.name === name || kind.aliases.includes(name));

/** @throws IntakeError USAGE listing the kinds. */
export function kindNamed(name: string): CsvKind | DirectoryKind {
  const kind = findKind(name);
  if (!kind)
    throw new IntakeError(
      'USAGE',
      `Unknown kind '${name}'${didYouMean(
        name,
        KINDS.flatMap((k) => [k.name, ...k.aliases]),
        (word) => findKind(word)?.name ?? word,
      )}`,
      {
        remedy: `Use one of: ${KINDS.map((k) => k.name).join(', ')}.`,
      },
    );
  return kind;
}

/** A kind of record file. @throws IntakeError USAGE. */
export function csvKindNamed(name: string): CsvKind {
  const kind = kindNamed(name);
  if (kind.reads !== 'csv')
    throw new IntakeError('USAGE', `'${kind.name}' is imported from a directory`, {
      remedy: `Write intake import ${kind.name} DIRECTORY.`,
    });
  return kind;
}

/** A kind of directory. @throws IntakeError USAGE. */
export function directoryKindNamed(name: string): DirectoryKind {
  const kind = kindNamed(name);
  if (kind.reads !== 'directory')
    throw new IntakeError('USAGE', `'${kind.name}' is imported from a file`, {
      remedy: `Write intake import ${kind.name} FILE.`,
    });
  return kind;
}

/** Names of the kinds that take an option of `intake import`. */
export const kindsTaking = (option: KindOption): string[] =>
  KINDS.filter(({ options }) => options.includes(option)).map(({ name }) => name);

/** Every code of a rejected row, with its sentence: those of readers, then those of kinds. */
export const ALL_ROW_ERRORS: Readonly<Record<string, string>> = Object.assign(
  {},
  ROW_ERRORS,
  ...KINDS.map(({ rowErrors }) => rowErrors),
);
