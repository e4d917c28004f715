/** The row model that the judgment vendors share (runbook 000): one judgment a row, with its plaintiff. */
import type { RowErrorCode } from '../errors.ts';
import { parseAmount } from '../values/amount.ts';
import { parseEmail, parsePhone, parseState } from '../values/contact.ts';
import { parseDate } from '../values/date.ts';
import { keyOfNormalized, normalizeEmail, normalizeName } from '../values/key.ts';
import type { Result } from '../values/result.ts';
import { text } from '../values/text.ts';
import { plaintiffs } from './plaintiffs.ts';
import type { CsvKind, RowContext, StagedRow } from './kind.ts';

export const JUDGMENT_COLUMNS = [
  'plaintiff_key',
  'plaintiff_name',
  'name_key',
  'email',
  'email_key',
  'phone',
  'address',
  'judgment_number',
  'number_key',
  'case_number',
  'case_key',
  'judgment_amount',
  'judgment_balance',
  'judgment_date',
  'filing_date',
  'court_name',
  'county',
  'state',
  'defendant_name',
  'defendant_address',
  'case_type',
  'case_status',
  'lead_id',
] as const;

/** What the kinds of all vendors have in common: each adds its columns and who sends it. */
export const JUDGMENTS = {
  reads: 'csv',
  table: 'judgments',
  stageColumns: JUDGMENT_COLUMNS,
  family: 'judgments',
  resolves: true,
  operations: true,
  rowErrors: {},
  options: ['match', 'onConflict'],
  effects: {
    summary: [
      {
        label: 'Effects:  ',
        counters: {
          plaintiffs_created: 'plaintiffs created',
          plaintiffs_matched: 'matched',
          contact_inserts: 'contacts',
          follow_up_tasks: 'tasks',
          enforcement_initializations: 'enforcement stages',
          queued_jobs: 'jobs',
        },
      },
    ],
    removed: {
      [plaintiffs.table]: plaintiffs.title.toLowerCase(),
      contacts: 'contacts',
      tasks: 'tasks',
      history: 'status history entries',
      jobs: 'queued jobs',
    },
    left: { jobs_read_already: 'jobs stay in their queues: somebody has read them' },
    fields: {
      judgment_amount: 'amount',
      judgment_balance: 'balance',
      judgment_date: 'date',
      judgment_number: 'number',
    },
    keptIds: { judgment_ids: 'judgments', plaintiff_ids: plaintiffs.title.toLowerCase() },
  },
  personalTables: [
    'public.plaintiffs',
    'public.judgments',
    'public.plaintiff_contacts',
    'public.plaintiff_tasks',
    'public.plaintiff_status_history',
    'public.raw_simplicity_imports',
    'public.queue_messages',
    'ingest.raw_simplicity_fallback',
    'ingest.differences',
  ],
} as const satisfies Partial<CsvKind>;

/** What stands in for a number; taken for one, it would make one judgment of many. */
const NO_NUMBER = /^(?:n\/?a|none|unknown|-+)$/i;

/** The columns that a vendor calls by words of its own; all others bear the name of their stage column. */
export interface VendorColumns {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly address?: string;
  /** The first of them that is not empty is the judgment's number, or the case's. */
  readonly judgmentNumber: readonly string[];
  readonly caseNumber: readonly string[];
  /** Named by the error of a row without any number. */
  readonly number: string;
}

/**
 * A record as a row of `JUDGMENT_COLUMNS`. A value that is none is null, but an e-mail address stays as written, since it
 * is part of the key; of several errors the first counts, in the order of the stage columns.
 */
export function judgmentRow(
  cell: (column: string) => string | undefined,
  vendor: VendorColumns,
  context: RowContext,
): StagedRow<never> {
  const read = (column: string) => text(cell(column));
  const first = (columns: readonly string[]) =>
    columns.map(read).find((value) => value !== null && !NO_NUMBER.test(value)) ?? null;

  const name = read(vendor.name);
  const parsedEmail = parseEmail(cell(vendor.email));
  const email = parsedEmail.error ? read(vendor.email) : parsedEmail.value;
  const phone = parsePhone(cell(vendor.phone));
  const judgmentNumber = first(vendor.judgmentNumber);
  const caseNumber = first(vendor.caseNumber) ?? judgmentNumber;
  const amount = parseAmount(cell('judgment_amount'));
  const balance = parseAmount(cell('judgment_balance'));
  const judged = parseDate(cell('judgment_date'), context.dateOrder);
  const filed = parseDate(cell('filing_date'), context.dateOrder);
  const state = parseState(cell('state'));

  const nameKey = keyOf(name);
  const emailKey = normalizeEmail(email);
  const key = keyOfNormalized(context.sourceSystem, nameKey ?? '', emailKey);
  const values = [
    key,
    name,
    nameKey,
    email,
    emailKey || null,
    valueOf(phone),
    vendor.address === undefined ? null : read(vendor.address),
    judgmentNumber,
    keyOf(judgmentNumber),
    caseNumber,
    keyOf(caseNumber),
    valueOf(amount),
    valueOf(balance),
    valueOf(judged),
    valueOf(filed),
    read('court_name'),
    read('county'),
    valueOf(state),
    read('defendant_name'),
    read('defendant_address'),
    read('case_type'),
    read('case_status'),
    read('lead_id'),
  ];
  const checks: readonly (readonly [RowErrorCode | undefined, string])[] = [
    [missing(name), vendor.name],
    [parsedEmail.error, vendor.email],
    [phone.error, vendor.phone],
    [missing(judgmentNumber), vendor.number],
    [amount.error ?? missing(amount.value), 'judgment_amount'],
    [balance.error, 'judgment_balance'],
    [judged.error, 'judgment_date'],
    [filed.error, 'filing_date'],
    [state.error, 'state'],
  ];
  const [error, column] = checks.find(([code]) => code !== undefined) ?? [];
  return error === undefined ? { key, values } : { key, values, error, column: column! };
}

const keyOf = (value: string | null): string | null => (value === null ? null : normalizeName(value));
const valueOf = (result: Result<string>): string | null => (result.error === undefined ? result.value : null);
const missing = (value: string | null): RowErrorCode | undefined => (value === null ? 'MISSING_VALUE' : undefined);
