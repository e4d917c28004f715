/** The options of an import that decide what happens, as words of the command line: for what is printed, and to tell two imports of one batch apart. */
import type { DirectoryInput } from './directory.ts';
import type { AnyInput, ImportInput } from './imports.ts';

/** `['date-order', 'dmy']`, `['skip-jobs', undefined]`. */
export type OptionWord = readonly [name: string, value: string | undefined];

/** What decides how a row is read and what becomes of it; a run is finished with those it began with. */
const OF_ROWS: ReadonlySet<string> = new Set(
  'map date-order encoding delimiter header-row null-words decode-html match on-conflict skip-jobs'.split(' '),
);

/** What these are where nobody gives them: said or not, they mean the same. */
export const USUAL = { match: 'names', onConflict: 'skip' } as const;

/** The options of a file's content. */
export function fileOptions({ options }: Pick<ImportInput, 'options'>): OptionWord[] {
  const { map, maxErrors } = options;
  const usual = keysOf(USUAL).filter((name) => options[name] === USUAL[name]);
  const others = without(options, 'map', 'maxErrors', 'dateOrderAssumed', ...usual);
  return [
    ...Object.entries(map).map(([theirs, ours]): OptionWord => ['map', `${theirs}=${ours}`]),
    ...wordsOf(others),
    ...(maxErrors ? [limitWord(maxErrors)] : []),
  ];
}

/** The options of a directory. */
export const directoryOptions = (options: Partial<DirectoryInput>): OptionWord[] => {
  const { tag, singleFile, imagesDir, delta, verifyWrites, nullWords, decodeHtml } = options;
  const { batchSize, maxWorkers, maxConcurrentUploads } = options;
  const content = { tag, singleFile, imagesDir, delta, verifyWrites, nullWords, decodeHtml };
  return wordsOf({ ...content, batchSize, maxWorkers, maxConcurrentUploads });
};

/** Everything that decides what an import does, for comparison: whoever has other options means another import. */
export function decidingOptions(input: AnyInput): OptionWord[] {
  const { backend, sourceReference, batchName, rejectsPath, differencesPath, relatedRunId, filename } = input;
  const usual = 'tag' in input ? input.tag : stemOf(filename);
  const common = {
    backend,
    batchName: batchName === usual ? undefined : batchName,
    sourceReference: sourceReference === batchName ? undefined : sourceReference,
    rejects: rejectsPath,
    differences: differencesPath,
    run: relatedRunId,
  };
  if ('tag' in input) {
    // How fast it is does not decide; of batch ids only one that was given.
    const own = input.batchId.startsWith(`${input.tag}/`) ? undefined : input.batchId;
    return [
      ...directoryOptions(without(input, 'maxWorkers', 'maxConcurrentUploads')),
      ...wordsOf({ ...common, batchId: own }),
    ];
  }
  return [...fileOptions(input), ...wordsOf(common)];
}

/** Those that decide what a row means. */
export const rowOptions = (input: ImportInput): OptionWord[] =>
  fileOptions(input).filter(([name]) => OF_ROWS.has(name));

/** `--date-order mdy there, dmy here; --skip-jobs there only`; empty where both are the same. */
export function differingOptions(there: readonly OptionWord[], here: readonly OptionWord[]): string {
  const names = [...new Set([...there, ...here].map(([name]) => name))].sort();
  return names
    .flatMap((name) => {
      const [before, now] = [there, here].map((words) =>
        words
          .filter((word) => word[0] === name)
          .map(([, value]) => value ?? 'given')
          .sort()
          .join(', '),
      );
      return before === now ? [] : [`--${name} ${before || 'not given'} there, ${now || 'not given'} here`];
    })
    .join('; ');
}

const keysOf = <T extends object>(object: T): (keyof T)[] => Object.keys(object) as (keyof T)[];

const without = <T extends object>(object: T, ...names: readonly (keyof T & string)[]): Partial<T> =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name as never))) as Partial<T>;

const limitWord = (limit: NonNullable<ImportInput['options']['maxErrors']>): OptionWord => [
  'max-errors',
  'rows' in limit ? String(limit.rows) : `${limit.percent}%`,
];

const wordsOf = (options: object): OptionWord[] =>
  Object.entries(options).flatMap(([key, value]: [string, unknown]): OptionWord[] => {
    if (value === undefined || value === false) return [];
    return [[flagOf(key), value === true ? undefined : Array.isArray(value) ? value.join(',') : String(value)]];
  });

/** `dateOrder` -> `date-order`. */
export const flagOf = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A file's name without its last extension, as node:path has it, which workflows have not. */
const stemOf = (filename: string): string => filename.replace(/(?<=.)\.[^.]*$/, '');
