/** Kind `plaintiffs` (runbooks 001 and 002): one plaintiff a row, the same key is the same plaintiff. */
import type { RowErrorCode } from '../errors.ts';
import { parseEmail, parsePhone } from '../values/contact.ts';
import { keyOfNormalized, normalizeEmail, normalizeName } from '../values/key.ts';
import { text } from '../values/text.ts';
import { ALSO, NAME_PARTS } from './otherWords.ts';
import type { CsvKind } from './kind.ts';

export const plaintiffs: CsvKind = {
  name: 'plaintiffs',
  reads: 'csv',
  aliases: ['plaintiff'],
  title: 'Plaintiffs',
  defaultSource: 'csv',
  columns: [
    {
      name: 'plaintiff_name',
      aliases: ['PlaintiffName', 'name', 'plaintiff'],
      parts: NAME_PARTS,
      also: ALSO.name,
      instead: 'firm_name',
    },
    { name: 'firm_name', aliases: ['firm'], also: ALSO.firm },
    { name: 'short_name', aliases: [] },
    { name: 'contact_name', aliases: ['contact'], also: ALSO.contact },
    { name: 'contact_email', aliases: ['email'], also: ALSO.email },
    { name: 'contact_phone', aliases: ['phone'], also: ALSO.phone, anyOf: true },
    { name: 'contact_address', aliases: ['address'], also: ALSO.address },
    { name: 'source_reference', aliases: ['external_id'] },
  ],
  required: [['plaintiff_name']],
  dateOrder: 'mdy',
  identifiers: ['contact_phone', 'source_reference'],
  dates: [],
  table: 'plaintiffs',
  stageColumns: [
    'plaintiff_key',
    'plaintiff_name',
    'plaintiff_name_normalized',
    'firm_name',
    'short_name',
    'contact_name',
    'contact_email',
    'contact_phone',
    'contact_address',
    'source_reference',
  ],
  row(cell, { sourceSystem }) {
    const name = text(cell('plaintiff_name'));
    const email = parseEmail(cell('contact_email'));
    const phone = parsePhone(cell('contact_phone'));
    const writtenEmail = email.error ? text(cell('contact_email')) : email.value;
    const normalized = normalizeName(name ?? '');
    const key = keyOfNormalized(sourceSystem, normalized, normalizeEmail(writtenEmail));
    const values = [
      key,
      name,
      name === null ? null : normalized,
      text(cell('firm_name')),
      text(cell('short_name')),
      text(cell('contact_name')),
      writtenEmail,
      phone.error ? text(cell('contact_phone')) : phone.value,
      text(cell('contact_address')),
      text(cell('source_reference')),
    ];
    const bad = (error: RowErrorCode, column: string) => ({ key, values, error, column });
    if (name === null) return bad('MISSING_VALUE', 'plaintiff_name');
    if (email.error) return bad(email.error, 'contact_email');
    if (phone.error) return bad(phone.error, 'contact_phone');
    return { key, values };
  },
  rowErrors: {},
  effects: {
    summary: [],
    removed: {},
    keptIds: { plaintiff_ids: 'plaintiffs' },
  },
  options: ['onConflict'],
  personalTables: ['public.plaintiffs', 'ingest.plaintiffs_raw', 'ingest.differences'],
  sample: 'plaintiffs.csv',
  colour: { light: '#0f6b63', dark: '#4fb5a8' },
};

/** Natural key of a plaintiff: SHA-256 of `source|name|email`, normalized, as hex; SQL's `compute_plaintiff_dedupe_key`. */
export function plaintiffKey(source: string, name: string, email?: string | null): string {
  return keyOfNormalized(source, normalizeName(name), normalizeEmail(email));
}
