/** A file of mended rejects means what its run meant: it is imported as that one was. */
import { isDeepStrictEqual } from 'node:util';
import type { BackendName } from '../config.ts';
import type { Run } from '../database/rows.ts';
import { IntakeError } from '../errors.ts';
import { kindNamed } from '../kinds/index.ts';
import { flagOf, USUAL } from '../messages/options.ts';
import type { ImportOptions } from '../messages/imports.ts';
import type { ImportRequest } from '../messages/requests.ts';
import { mapWithoutTexts } from './headers.ts';
import { readHead } from '../sources/csv/head.ts';
import { parentOfFile } from '../sources/csv/parent.ts';

/** A run by its id, or undefined. */
export type FindRun = (id: string, backend?: BackendName) => Promise<Run | undefined>;

/** Runs that are compared, of a file that names more. */
const MOST_OTHERS = 20;

/** Encoding and delimiter are the file's own: it may have been saved by another program. */
const INHERITED = ['map', 'dateOrder', 'nullWords', 'decodeHtml', 'match', 'onConflict', 'skipJobs'] as const;

/**
 * The request with the kind's source system and the options of the run whose rejects the file has; any other file's as it is.
 * @throws IntakeError OPTIONS_DIFFER for an option that is given and was another one there, or for rows of runs that were imported otherwise.
 */
export async function asItsRun(request: ImportRequest, find: FindRun): Promise<ImportRequest> {
  const parent = parentOfFile((await readHead(request.path)).head);
  const run = parent && (await find(parent.runId, request.backend));
  const before = run?.metadata.input;
  if (!parent || !before || !('options' in before)) return request;
  const kind = kindNamed(run.import_kind);
  const given: Partial<ImportOptions> = request.options ?? {};
  const [then, now] = [before.options, given].map((options) => withoutTexts(kind.name, options)) as [
    Partial<ImportOptions>,
    Partial<ImportOptions>,
  ];
  const differing = [
    ...difference('kind', kind.name, kindNamed(request.kind).name),
    ...difference(kind.sourceIsTenant ? '--tenant' : '--source-system', before.sourceSystem, request.sourceSystem),
    ...INHERITED.flatMap((name) => difference(`--${flagOf(name)}`, { ...USUAL, ...then }[name], now[name])),
  ];
  if (differing.length > 0)
    throw new IntakeError('OPTIONS_DIFFER', `These are rejects of run ${run.id}, and it had ${differing.join('; ')}`, {
      remedy: 'Leave these options away: mended rejects are imported as their run was.',
    });
  for (const id of parent.others.slice(0, MOST_OTHERS)) requireAlike(run, await find(id, request.backend));
  const inherited = pick(before.options);
  const { delimiter = parent.delimiter, encoding = parent.unicode ? undefined : before.options.encoding } = given;
  return {
    ...request,
    sourceSystem: before.sourceSystem,
    options: { ...given, ...inherited, ...(delimiter ? { delimiter } : {}), ...(encoding ? { encoding } : {}) },
  };
}

const pick = (options: ImportOptions): Partial<ImportOptions> =>
  Object.fromEntries(INHERITED.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));

/** @throws IntakeError OPTIONS_DIFFER for rows of another run in the file, which meant other things. */
function requireAlike(run: Run, other: Run | undefined): void {
  if (!other) return;
  const [one, two] = [run, other].map(({ import_kind, metadata: { input } }) => ({
    kind: kindNamed(import_kind).name,
    sourceSystem: input?.sourceSystem,
    ...(input && 'options' in input ? { ...USUAL, ...pick(input.options) } : {}),
  }));
  if (isDeepStrictEqual(one, two)) return;
  throw new IntakeError(
    'OPTIONS_DIFFER',
    `The file has rejects of run ${run.id} and of run ${other.id}, which was imported otherwise`,
    { remedy: 'Import the rejects of each run as a file of its own.' },
  );
}

const withoutTexts = (kind: string, options: Partial<ImportOptions>): Partial<ImportOptions> =>
  options.map ? { ...options, map: mapWithoutTexts(kind, options.map) } : options;

/** `--date-order dmy, not mdy`; nothing where none is given or both are the same. */
function difference(name: string, before: unknown, given: unknown): string[] {
  if (given === undefined || isDeepStrictEqual(before, given)) return [];
  return [`${name} ${words(before)}, not ${words(given)}`];
}

function words(value: unknown): string {
  if (value === undefined || value === false || value === '') return '(none)';
  if (value === true) return 'given';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.join(',') || "''";
  const entries = Object.entries(value).map(([key, text]) => `${key}=${String(text)}`);
  return entries.join(', ') || '(none)';
}
