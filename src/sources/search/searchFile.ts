/**
 * sources/search/: JSON files of licence searches.
 *
 * A `*_parse.json`: one search of a board's site, checked against its schema.
 */
import { hash } from 'node:crypto';
import type { RowErrorCode } from '../../errors.ts';
import { usualTexts, type TextCleaner } from '../cleanText.ts';
import { text } from '../../values/text.ts';
import { numberText, parseJson } from '../../values/json.ts';
import { fileFault, licenceFault } from './searchSchema.ts';
import { parseSearchTime } from './searchTime.ts';

export interface Licence {
  readonly [unknown: string]: unknown;
  readonly license_number?: string | null;
  readonly license_status?: string | null;
  readonly license_type?: string | null;
  readonly pharmacy_name?: string | null;
  readonly issue_date?: string | null;
  readonly expiration_date?: string | null;
  readonly address?: Readonly<
    Record<'street' | 'suite' | 'city' | 'state' | 'zip_code', string | null | undefined>
  > | null;
}

export interface SearchMetadata {
  readonly [unknown: string]: unknown;
  readonly pharmacy_name: string;
  readonly search_timestamp: string;
  readonly state: string;
  readonly source_image_file?: string | null;
}

export interface SearchDocument {
  readonly [unknown: string]: unknown;
  readonly metadata: SearchMetadata;
  readonly search_result: {
    readonly [unknown: string]: unknown;
    readonly licenses?: readonly Licence[] | null;
    readonly result_status?: string | null;
  };
}

export interface SearchFile {
  readonly document: SearchDocument;
  /** What is wrong with a licence, by its index; its siblings are imported. */
  readonly faults: ReadonlyMap<number, string>;
  /** The licences as they came: in `document`, numbers in the place of a text are text, and texts are clean. */
  readonly originals: readonly unknown[];
}

export type ReadSearch =
  | { readonly ok: true; readonly file: SearchFile }
  | {
      readonly ok: false;
      readonly code: Extract<RowErrorCode, 'INVALID_JSON' | 'SCHEMA_MISMATCH'>;
      readonly message: string;
    };

/** Larger files are not read: a search that finds a hundred licences is a tenth of a megabyte. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;

const NO_FAULTS: ReadonlyMap<number, string> = new Map();

/** Never throws, and says nothing that stands in the file. */
export function readSearchFile(bytes: Uint8Array, clean = usualTexts): ReadSearch {
  const parsed = parseJson(bytes);
  if (parsed.error !== undefined) return { ok: false, code: 'INVALID_JSON', message: parsed.error };
  const document = withTexts(parsed.value, clean) as SearchDocument;
  const originals = licencesIn(parsed.value);
  const fault = fileFault(document);
  if (!fault) return { ok: true, file: { document, originals, faults: NO_FAULTS } };
  // The first fault may be a licence's own: is the file sound without them?
  const rest = fault.path.startsWith('/search_result/licenses/') ? fileFault(withoutLicences(document)) : fault;
  if (rest) return { ok: false, code: 'SCHEMA_MISMATCH', message: rest.message };
  return { ok: true, file: { document, originals, faults: licenceFaults(document.search_result.licenses ?? []) } };
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && numberText(value) === undefined;

function licencesIn(document: unknown): readonly unknown[] {
  const result = isObject(document) ? document['search_result'] : undefined;
  const licences = isObject(result) ? result['licenses'] : undefined;
  return Array.isArray(licences) ? licences : [];
}

const METADATA_TEXTS = ['pharmacy_name', 'search_timestamp', 'state', 'source_image_file'];
const LICENCE_TEXTS = [
  'license_number',
  'license_status',
  'license_type',
  'pharmacy_name',
  'issue_date',
  'expiration_date',
];
const ADDRESS_TEXTS = ['street', 'suite', 'city', 'state', 'zip_code'];

/**
 * The texts that have a meaning, clean. A parser that guesses types writes a licence's number as a number: where a text is wanted,
 * its digits as they stand are taken.
 */
function withTexts(document: unknown, clean: TextCleaner): unknown {
  if (!isObject(document)) return document;
  const { metadata, search_result: result } = document;
  const licences = licencesIn(document);
  const texts = licences.map((licence) => {
    const own = textsOf(licence, LICENCE_TEXTS, clean);
    const address = isObject(own) ? textsOf(own['address'], ADDRESS_TEXTS, clean) : undefined;
    return isObject(own) && address !== own['address'] ? { ...own, address } : own;
  });
  const named = textsOf(metadata, METADATA_TEXTS, clean);
  const { result_status: status } = isObject(result) ? result : {};
  const cleanStatus = typeof status === 'string' ? clean(status) : status;
  const found = cleanStatus === status ? result : { ...(result as Fields), result_status: cleanStatus };
  const sameLicences = texts.every((licence, i) => licence === licences[i]);
  if (named === metadata && found === result && sameLicences) return document;
  const cleaned = sameLicences ? found : { ...(found as Fields), licenses: texts };
  return { ...document, metadata: named, search_result: cleaned };
}

/** The same object where none of these fields is a number or a text to be cleaned. */
function textsOf(value: unknown, names: readonly string[], clean: TextCleaner): unknown {
  if (!isObject(value)) return value;
  const others = names.flatMap((name) => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const meant = typeof given === 'string' ? clean(given) : numberText(given);
    return meant === undefined || meant === given ? [] : [[name, meant] as const];
  });
  return others.length === 0 ? value : { ...value, ...Object.fromEntries(others) };
}

const withoutLicences = (document: SearchDocument): object => ({
  ...document,
  search_result: { ...document.search_result, licenses: [] },
});

function licenceFaults(licences: readonly Licence[]): Map<number, string> {
  const faults = new Map<number, string>();
  licences.forEach((licence, i) => {
    const fault = licenceFault(licence, `/search_result/licenses/${i}`);
    if (fault) faults.set(i, fault.message);
  });
  return faults;
}

/**
 * What makes two files the same search, `pharmacy_name|search_state|search_timestamp`, as hex SHA-256: names without outer
 * blanks, states in capitals, times as instants; what is none counts as written.
 */
export function searchKey({ document: { metadata } }: SearchFile): string {
  const { pharmacy_name: name, search_timestamp: time, state } = metadata;
  const instant = parseSearchTime(time);
  return hash(
    'sha256',
    [text(name) ?? '', (text(state) ?? '').toUpperCase(), instant.error === undefined ? instant.value : time].join('|'),
    'hex',
  );
}

/** The image as the file names it; null where it names none. */
export const sourceImageOf = ({ document: { metadata } }: SearchFile): string | null =>
  text(metadata.source_image_file);
