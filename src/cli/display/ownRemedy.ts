/** Remedies of the table of errors, for the run and the file that they are said of. */
import type { ErrorDocument } from '../../messages/imports.ts';
import { shellWord } from '../../values/text.ts';

export interface Subject {
  /** Null: a dry run, or nothing was begun. */
  readonly runId: string | null;
  /** The source, as it was given. */
  readonly path?: string | undefined;
}

/** `intake resume ID` with the run's id, `intake import KIND FILE` with the file: as it can be typed. */
export function ownRemedy(error: ErrorDocument, { runId, path }: Subject): ErrorDocument {
  const remedy = error.remedy
    .replace(/`intake rejects ID`/g, (command) => (runId === null ? '--rejects FILE' : command))
    .replace(/(?<=\bintake [a-z]+(?: [a-z]+)? )ID\b/g, runId ?? 'ID')
    .replace(/(?<=\bintake import \S+ )FILE\b/g, () => (path === undefined ? 'FILE' : shellWord(path)));
  return { ...error, remedy };
}
