/** When a schedule acts: at a time of day in a zone, or every so many minutes or hours. */
import type { ScheduleSpec, ScheduleSpecDescription } from '@temporalio/client';
import { IntakeError } from '../errors.ts';

export type Times = { readonly at: string; readonly timeZone: string } | { readonly everyMinutes: number };

const UNITS = { m: 1, h: 60, d: 1440 } as const;
const MINUTE_MS = 60_000;

/** `17:00` @throws IntakeError USAGE. */
export function parseTimeOfDay(text: string): string {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) throw new IntakeError('USAGE', '--at is a time of day such as 17:00');
  return text;
}

/** `90m`, `1h`, `1d` as minutes. @throws IntakeError USAGE. */
export function parseInterval(text: string): number {
  const [, amount = '', unit = 'm'] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const minutes = Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (!minutes) throw new IntakeError('USAGE', '--every is a time such as 30m, 1h or 1d');
  return minutes;
}

/** The zone as it is usually written. @throws IntakeError USAGE for none of IANA's. */
export function parseTimeZone(text: string): string {
  try {
    // An offset such as +09:30 has no daylight saving.
    if (/^[A-Za-z]/.test(text)) return new Intl.DateTimeFormat('en-US', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    // said below
  }
  throw new IntakeError('USAGE', `There is no time zone '${text}'`, {
    remedy: 'Write --timezone Australia/Adelaide, a name of the IANA database.',
  });
}

/** Clock times are taken literally by Temporal: 17:00 stays 17:00 on both sides of a change of the clocks. */
export function specOf(times: Times): ScheduleSpec {
  if ('everyMinutes' in times) return { intervals: [{ every: times.everyMinutes * MINUTE_MS }] };
  const [hour, minute] = times.at.split(':').map(Number) as [number, number];
  return { calendars: [{ hour, minute, comment: `daily at ${times.at}` }], timezone: times.timeZone };
}

/** The times of a schedule as Intake makes them; undefined for any others, whoever made them. */
export function timesOf(spec: ScheduleSpecDescription): Times | undefined {
  const { calendars = [], intervals = [], skip = [], timezone, startAt, endAt, jitter } = spec;
  if (calendars.length + intervals.length !== 1 || skip.length > 0 || startAt || endAt || jitter) return undefined;
  const [interval] = intervals;
  if (interval) return interval.offset ? undefined : { everyMinutes: interval.every / MINUTE_MS };
  const { second, minute, hour, dayOfMonth, month, year, dayOfWeek } = calendars[0]!;
  const [at, past] = [single(hour), single(minute)];
  const daily =
    single(second) === 0 &&
    isWhole(dayOfMonth, 1, 31) &&
    isWhole(month, 'JANUARY', 'DECEMBER') &&
    isWhole(dayOfWeek, 'SUNDAY', 'SATURDAY') &&
    year.length === 0;
  if (!daily || at === undefined || past === undefined) return undefined;
  return { at: [at, past].map((part) => String(part).padStart(2, '0')).join(':'), timeZone: timezone || 'UTC' };
}

type Ranges<T> = readonly { readonly start: T; readonly end: T; readonly step: number }[];

const single = ([range, ...more]: Ranges<number>): number | undefined =>
  range && more.length === 0 && range.end <= range.start ? range.start : undefined;
const isWhole = <T>([range, ...more]: Ranges<T>, from: T, to: T): boolean =>
  range !== undefined && more.length === 0 && range.start === from && range.end === to && range.step <= 1;

/** `daily at 17:00 Australia/Adelaide`, `every 1 h` */
export function timesText(times: Times | undefined): string {
  if (!times) return 'at times of its own';
  if ('at' in times) return `daily at ${times.at} ${times.timeZone}`;
  const { everyMinutes } = times;
  return `every ${everyMinutes % 60 === 0 ? `${everyMinutes / 60} h` : `${everyMinutes} min`}`;
}
