/** A row of a request: its contract (runbook 003, CONTRACT section 3) and its normal form. Messages hold no values. */
import { z } from 'zod';
import { LONGEST } from './limits.ts';
import { text } from '../../values/text.ts';

const WHOLE = /^\d{1,9}(\.0*)?$/;

interface Sink {
  readonly issues: { push(issue: { code: 'custom'; message: string; input: unknown }): unknown };
}

/** Trimmed, undefined when blank. PostgreSQL stores neither NUL nor half of a surrogate pair. */
function tidy(value: string | number | null | undefined, max: number, { issues }: Sink): string | undefined {
  const cell = text(typeof value === 'number' ? String(value) : value) ?? undefined;
  if (cell === undefined) return undefined;
  const message =
    cell.length > max
      ? `longer than ${max} characters`
      : cell.includes('\0') || !cell.isWellFormed()
        ? 'not valid Unicode text'
        : undefined;
  if (message) issues.push({ code: 'custom', message, input: undefined });
  return cell;
}

const cell = (max: number = LONGEST.text) =>
  z
    .string({ error: 'not a text' })
    .nullish()
    .transform((value, context) => tidy(value, max, context));
const scalar = z.union([z.string(), z.number()], { error: 'neither a text nor a number' }).nullish();
/** Kept as it is written; what is no degrees is no fault of the contract. */
const loose = scalar.transform((value, context) => tidy(value, LONGEST.text, context));
/** Blank is 0. */
const count = scalar.transform((value, { issues }) => {
  const digits = text(typeof value === 'number' ? String(value) : value) ?? '0';
  if (!WHOLE.test(digits))
    issues.push({ code: 'custom', message: 'not a whole number from 0 to 999999999', input: undefined });
  return Number(digits);
});

export const rowSchema = z.object(
  {
    stage_application: z.string({ error: 'missing, or not a text' }).transform((value, context) => {
      const key = tidy(value, LONGEST.key, context);
      if (key === undefined) context.issues.push({ code: 'custom', message: 'blank', input: undefined });
      return key;
    }),
    delivery_partner: cell(),
    developer_class: cell(),
    relationship_manager: cell(),
    rm_preferred_username: cell(),
    deployment_specialist: cell(),
    stage_application_created: cell().transform((value, { issues }) => {
      if (value !== undefined && !isDate(value))
        issues.push({ code: 'custom', message: 'not a date: write it as YYYY-MM-DD', input: undefined });
      return value;
    }),
    address: cell(LONGEST.address),
    eFscd: cell(),
    development_type: cell(),
    build_type: cell(),
    fod_id: loose,
    latitude: loose,
    longitude: loose,
    residential: count,
    commercial: count,
    essential: count,
    premises_count: count,
  },
  { error: 'not an object' },
);

export type NormalRow = z.output<typeof rowSchema>;

/** The dates that `ingest.parse_project_date` knows: ISO, or numeric with the day first. */
function isDate(value: string): boolean {
  const iso = /^(\d{4})-(\d\d)-(\d\d)([T ]\d\d:\d\d.*)?$/s.exec(value);
  const [year, month, day] = iso ? iso.slice(1, 4).map(Number) : numericDate(value);
  if (!year || !month || month > 12 || !day) return false;
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate(); // the calendar repeats after 400 years
  return day <= last;
}

function numericDate(value: string): number[] {
  const [, day, , month, year] = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/.exec(value) ?? [];
  return [Number(year ?? 0), Number(month ?? 0), Number(day ?? 0)];
}
