/** The licences of a search as staged rows: cleaned and typed, one a licence; a search without results is one row, too. */
import { hash } from 'node:crypto';
import type { RowErrorCode } from '../../errors.ts';
import { parseState } from '../../values/contact.ts';
import { parseDate } from '../../values/date.ts';
import { isConverted } from '../cleanText.ts';
import type { Result } from '../../values/result.ts';
import { causeOf } from '../../values/cause.ts';
import { text } from '../../values/text.ts';
import { storableJson } from '../../values/json.ts';
import type { Licence, SearchFile } from './searchFile.ts';
import { parseSearchTime } from './searchTime.ts';

/** Stage columns that a row of `licencesOf` fills, in this order. */
export const LICENCE_COLUMNS = [
  'result_key',
  'search_name',
  'search_state',
  'search_ts',
  'license_number',
  'license_status',
  'license_name',
  'license_type',
  'address',
  'suite',
  'city',
  'state',
  'zip',
  'issue_date',
  'expiration_date',
  'result_status',
  'meta',
] as const;

export interface LicenceRow {
  /** Hex SHA-256 of state and licence number, or of state, name and time where there are no results. */
  readonly key: string;
  /** 1-based, of the licence in its file. */
  readonly line: number;
  /** Of `LICENCE_COLUMNS`. */
  readonly values: readonly (string | null)[];
  /** The licence as it came, as JSON that jsonb can hold. */
  readonly raw: string;
  readonly error?: RowErrorCode;
  /** JSON path and rule; no value. */
  readonly message?: string;
}

/** What stands in for a number; taken for one, it would make one licence of many. */
const NO_NUMBER = /^(?:n\/?a|none|unknown|not (?:on file|available)|-+)$/i;

/** What the file says beside its licences goes with each row up to this size, else with the first alone. */
const SHARED_META_LENGTH = 16_384;

/** The runbook's counting: so many rows does a file become. */
export function rowsOf({ document, faults }: SearchFile): number {
  const licences = document.search_result.licenses ?? [];
  return isWithoutResults(licences, faults) ? 1 : licences.length;
}

/**
 * Never throws; of several errors of a row the first counts: the file's, then the licence's in the order of the columns.
 * @param now when the file was planned: a search a day later than this has a wrong time, and would beat every true one.
 */
export function licencesOf(file: SearchFile, now?: Date): LicenceRow[] {
  const licences = file.document.search_result.licenses ?? [];
  const search = searchOf(file, now);
  if (isWithoutResults(licences, file.faults)) return [noResults(licences, search)];
  return licences.map((licence, i) => {
    const fault = file.faults.get(i);
    const made = fault === undefined ? licenceRow(licence, i, search) : faultyRow(licence, i, search, fault);
    const original = file.originals[i];
    return original === licence ? made : { ...made, raw: storableJson(original) };
  });
}

/** The values between search_ts and result_status, of a row without a licence. */
const NOTHING = Array<null>(11).fill(null);

/** Fields of a licence that are texts, in the order of their columns. */
const TEXT_FIELDS = [
  'license_number',
  'license_status',
  'pharmacy_name',
  'license_type',
  'address/street',
  'address/suite',
  'address/city',
  'address/state',
  'address/zip_code',
] as const;

const IS_STORABLE = 'has characters that PostgreSQL cannot store';
const IS_CONVERTED = 'is a date or a number that a spreadsheet made of it; export the column as text';
const IS_DATE = 'must be a date: YYYY-MM-DD, month/day/year, or with the name of the month';

interface Search {
  readonly name: string | null;
  readonly state: string | null;
  readonly time: string | null;
  readonly status: string | null;
  /** What the file says beside its licences, as JSON; and what of it goes with all rows but the first. */
  readonly meta: string;
  readonly sharedMeta: string;
  /** Of the file: it makes every row a reject. */
  readonly fault: Fault | undefined;
}

interface Fault {
  readonly error: RowErrorCode;
  readonly message: string;
}

const fault = (error: RowErrorCode | undefined, path: string, rule: string): Fault | undefined =>
  error && { error, message: `${path} ${rule}` };

function searchOf({ document }: SearchFile, now: Date | undefined): Search {
  const { metadata, search_result: result, ...rest } = document;
  const state = parseState(metadata.state);
  const time = parseSearchTime(metadata.search_timestamp);
  const name = text(metadata.pharmacy_name);
  const status = text(result.result_status);
  const meta = storableJson({ ...metadata, _file: { ...rest, search_result: { ...result, licenses: undefined } } });
  return {
    name,
    status,
    meta,
    state: valueOf(state),
    time: valueOf(time),
    sharedMeta: meta.length <= SHARED_META_LENGTH ? meta : '{}',
    fault:
      fault(missing(name), '/metadata/pharmacy_name', 'must not be empty') ??
      fault(unstorable(name), '/metadata/pharmacy_name', IS_STORABLE) ??
      fault(state.error ?? missing(valueOf(state)), '/metadata/state', 'must be two letters') ??
      fault(time.error ?? missing(valueOf(time)), '/metadata/search_timestamp', 'must be an ISO 8601 time') ??
      fault(
        isAhead(valueOf(time), now) ? 'BAD_DATE' : undefined,
        '/metadata/search_timestamp',
        'is more than a day in the future',
      ) ??
      fault(unstorable(status), '/search_result/result_status', IS_STORABLE),
  };
}

const isWithoutResults = (licences: readonly Licence[], faults: ReadonlyMap<number, string>): boolean =>
  faults.size === 0 && licences.every((licence) => numberOf(licence) === null);

function numberOf(licence: Licence): string | null {
  const number = text(licence.license_number);
  return number === null || NO_NUMBER.test(number) ? null : number;
}

function licenceRow(licence: Licence, i: number, search: Search): LicenceRow {
  const number = numberOf(licence);
  const { address, license_status: status, pharmacy_name: name, license_type: type } = licence;
  const rest = [
    status,
    name,
    type,
    address?.street,
    address?.suite,
    address?.city,
    address?.state,
    address?.zip_code,
  ].map(text);
  const texts = [number, ...rest];
  const issued = parseDate(licence.issue_date, 'mdy');
  const expires = parseDate(licence.expiration_date, 'mdy');
  const at = `/search_result/licenses/${i}`;
  const odd = texts.findIndex((value) => unstorable(value) !== undefined);
  const own =
    fault(missing(number), `${at}/license_number`, 'must not be empty beside licences that have one') ??
    fault(converted(number), `${at}/license_number`, IS_CONVERTED) ??
    fault(unstorable(texts[odd] ?? null), `${at}/${TEXT_FIELDS[odd]}`, IS_STORABLE) ??
    fault(issued.error, `${at}/issue_date`, dateRule(licence.issue_date)) ??
    fault(expires.error, `${at}/expiration_date`, dateRule(licence.expiration_date));
  return row(licence, i, search, keyOf(search.state, number), [...texts, valueOf(issued), valueOf(expires)], own);
}

function noResults(licenses: readonly Licence[], search: Search): LicenceRow {
  const licence = licenses.length <= 1 ? (licenses[0] ?? {}) : { licenses };
  return row(licence, 0, search, keyOf(search.state, search.name, search.time), NOTHING, undefined);
}

/** The licence may be anything: only the file's values and the raw text are taken. */
function faultyRow(licence: unknown, i: number, search: Search, message: string): LicenceRow {
  const made = row({}, i, search, keyOf(search.state, `/${i}`), NOTHING, { error: 'SCHEMA_MISMATCH', message });
  return { ...made, raw: storableJson(licence) };
}

function row(
  licence: Licence,
  i: number,
  search: Search,
  key: string,
  own: readonly (string | null)[],
  fault: Fault | undefined,
): LicenceRow {
  const { name, state, time, status, meta, sharedMeta } = search;
  const values = [key, name, state, time, ...own, status, withOwn(i === 0 ? meta : sharedMeta, licence)];
  const made = { key, line: i + 1, values, raw: storableJson(licence) };
  const failed = search.fault ?? fault;
  return failed ? { ...made, values: values.map((value) => (unstorable(value) ? null : value)), ...failed } : made;
}

const DAY = 86_400_000;
const isAhead = (time: string | null, now: Date | undefined): boolean =>
  time !== null && now !== undefined && Date.parse(time) > now.getTime() + DAY;

const valueOf = (result: Result<string>): string | null => (result.error === undefined ? result.value : null);
const missing = (value: string | null): RowErrorCode | undefined => (value === null ? 'MISSING_VALUE' : undefined);
const dateRule = (cell: string | null | undefined): string => {
  const cause = causeOf('BAD_DATE', cell ?? '', 'mdy');
  return cause ? `${IS_DATE}. ${cause}` : IS_DATE;
};
const converted = (number: string | null): RowErrorCode | undefined =>
  number !== null && isConverted(number) ? 'SPREADSHEET_VALUE' : undefined;
const keyOf = (...parts: readonly (string | null)[]): string =>
  hash('sha256', parts.map((part) => part ?? '').join('|'), 'hex');

function unstorable(value: string | null): RowErrorCode | undefined {
  if (value === null || !/[\0\ud800-\udfff]/.test(value)) return undefined;
  if (value.includes('\0')) return 'NUL_BYTE';
  return value.isWellFormed() ? undefined : 'INVALID_ENCODING';
}

/** The file's own, which is text already, with what the licence adds to it. */
function withOwn(meta: string, { contact, additional_info: info }: Licence): string {
  let own = '';
  if (contact) own += `,"contact":${storableJson(contact)}`;
  if (info) own += `,"additional_info":${storableJson(info)}`;
  return own === '' ? meta : `{${`${meta.slice(1, -1)}${own}`.replace(/^,/, '')}}`;
}

/** Stage columns beside the common ones: a licence's own, then those of its file. */
export const SEARCH_COLUMNS = [
  ...LICENCE_COLUMNS,
  'dataset_tag',
  'file_path',
  'file_sha256',
  'image_sha256',
  'image_path',
  'image_type',
  'image_size',
  'image_error',
  'image_message',
  'image_item',
  'duplicate',
] as const;
