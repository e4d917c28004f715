/** Rows of known keys that say otherwise than the tables, as the database counts them among an import's effects. */

export interface Differences {
  /** Skipped rows that differ. */
  readonly rows: number;
  /** How many of them say otherwise than an earlier row of the file, which is a new one. */
  readonly in_file: number;
  /** How many of them by field. */
  readonly fields: Readonly<Record<string, number>>;
  /** What updated rows changed (`--on-conflict update`), by field. */
  readonly updated: Readonly<Record<string, number>>;
}

const IN_FILE = 'differing_in_file';
const SKIPPED = 'differing:';
const UPDATED = 'updated:';

/** Undefined when nothing differs. `words`: what the kind calls its columns; others are called by their names. */
export function differencesOf(
  effects: Readonly<Record<string, number>> | undefined,
  words: Readonly<Record<string, string>> = {},
): Differences | undefined {
  const wordOf = (column: string) => words[column] ?? column.replaceAll('_', ' ');
  const named = (prefix: string) =>
    Object.fromEntries(
      Object.entries(effects ?? {})
        .filter(([name, n]) => name.startsWith(prefix) && n > 0)
        .map(([name, n]) => [wordOf(name.slice(prefix.length)), n] as const)
        .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)),
    );
  const found = {
    rows: effects?.['differing'] ?? 0,
    in_file: effects?.[IN_FILE] ?? 0,
    fields: named(SKIPPED),
    updated: named(UPDATED),
  };
  return found.rows > 0 || Object.keys(found.updated).length > 0 ? found : undefined;
}

/** Whether an effect is one of these. */
export const isDifference = (name: string): boolean =>
  name === 'differing' || name === IN_FILE || name.startsWith(SKIPPED) || name.startsWith(UPDATED);

/** `12 skipped, 3 of them differ (phone 2, amount 1), 1 from an earlier row of this file`, `3 updated (phone 2, amount 1)`. */
export function differenceSentences(
  { rows, in_file: inFile, fields, updated }: Differences,
  counts: { readonly skipped: number; readonly updated: number },
): string[] {
  const list = (numbers: Readonly<Record<string, number>>) =>
    Object.entries(numbers)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ');
  const earlier = inFile > 0 ? `, ${inFile} from an earlier row of this file` : '';
  return [
    ...(rows > 0 ? [`${counts.skipped} skipped, ${rows} of them differ (${list(fields)})${earlier}`] : []),
    ...(Object.keys(updated).length > 0 ? [`${counts.updated} updated (${list(updated)})`] : []),
  ];
}
