/** The registry: a kind is one file beside this one, one line here and one migration. */
import { IntakeError } from '../errors.ts';
import { jbi } from './jbi.ts';
import type { CsvKind, DirectoryKind } from './kind.ts';
import { plaintiffs } from './plaintiffs.ts';
import { projects } from './projects.ts';
import { searchResults } from './searchResults.ts';
import { simplicity } from './simplicity.ts';

export const KINDS: readonly (CsvKind | DirectoryKind)[] = [
  plaintiffs,
  ...lookalikes(simplicity, jbi),
  projects,
  searchResults,
];

/** Kinds whose files are mistaken for each other: the one that is named refuses the file of another. */
function lookalikes(...kinds: readonly CsvKind[]): CsvKind[] {
  return kinds.map((kind) => ({ ...kind, lookalikes: kinds.filter((other) => other !== kind) }));
}

/** @throws IntakeError USAGE listing the kinds. */
export function kindNamed(name: string): CsvKind | DirectoryKind {
  const kind = KINDS.find((k) => k.name === name || k.aliases.includes(name));
  if (!kind)
    throw new IntakeError('USAGE', `Unknown kind '${name}'`, {
      remedy: `Use one of: ${KINDS.map((k) => k.name).join(', ')}.`,
    });
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
