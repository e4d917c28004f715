/** Texts of headers: none travels with an import, and who has its file may see them. */
import { IntakeError } from '../errors.ts';
import { csvKindNamed, kindNamed } from '../kinds/index.ts';
import type { AnyInput, ErrorDocument, ImportReport } from '../messages/imports.ts';
import type { ImportRequest } from '../messages/requests.ts';
import { readHead } from '../sources/csv/head.ts';
import { columnNamed } from '../sources/csv/columns.ts';
import { mapKey, speller, type Spell } from '../sources/csv/headerNames.ts';
import { headerTexts } from '../sources/csv/layout.ts';

/** A map as it stands in histories. @throws IntakeError UNKNOWN_COLUMN. */
export const mapWithoutTexts = (kind: string, map: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(map).map(([theirs, ours]) => [mapKey(theirs), columnNamed(csvKindNamed(kind), ours).name]),
  );

/** A request as a schedule keeps it. @throws IntakeError UNKNOWN_COLUMN. */
export const requestWithoutTexts = (request: ImportRequest): ImportRequest =>
  request.options?.map
    ? { ...request, options: { ...request.options, map: mapWithoutTexts(request.kind, request.options.map) } }
    : request;

export interface SpellOptions {
  /** Both sides of `--map` as they were given. */
  readonly map?: Readonly<Record<string, string>> | undefined;
  /** Reads the texts where the file is not at hand. */
  readonly kept?: () => Promise<readonly string[] | null | undefined>;
}

/** The texts for what an import says of its headers. */
export async function spellerOf(
  { kind, path, options = {} }: Pick<ImportRequest, 'kind' | 'path' | 'options'>,
  { map = {}, kept = async () => [] }: SpellOptions = {},
): Promise<Spell> {
  if (kindNamed(kind).reads === 'directory') return (text) => text;
  const written = Object.entries(map).flat();
  const file = await readHead(path).catch(() => undefined);
  if (!file) return speller((await kept()) ?? [], written);
  return speller(headerTexts(file.head, file.whole, csvKindNamed(kind), options), written);
}

/** An error with the texts. */
export function spelledError(error: unknown, spell: Spell): unknown {
  if (!(error instanceof IntakeError)) return error;
  const { code, message, remedy, line, cause } = error;
  return new IntakeError(code, spell(message), {
    cause,
    remedy: spell(remedy),
    ...(line === undefined ? {} : { line }),
  });
}

/** An error's document with the texts. */
export const spelledDocument = ({ code, message, remedy }: ErrorDocument, spell: Spell): ErrorDocument => ({
  code,
  message: spell(message),
  remedy: spell(remedy),
});

/** A report with the texts. */
export const spelledReport = (report: ImportReport, spell: Spell): ImportReport => ({
  ...report,
  ...(report.error ? { error: spelledDocument(report.error, spell) } : {}),
  ...(report.plan?.headers
    ? { plan: { ...report.plan, headers: report.plan.headers.map((use) => ({ ...use, header: spell(use.header) })) } }
    : {}),
});

/** An input with the texts, for the commands that are printed. */
export const spelledInput = <T extends AnyInput>(input: T, spell: Spell): T =>
  'options' in input ? { ...input, options: { ...input.options, map: spelledMap(input.options.map, spell) } } : input;

const spelledMap = (map: Readonly<Record<string, string>>, spell: Spell): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, ours]) => [spell(key), ours]));
