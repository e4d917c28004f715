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

/** The times of a schedule that Intake made; undefined for another's. */
export function timesOf({ calendars, intervals, timezone }: ScheduleSpecDescription): Times | undefined {
  const [interval] = intervals ?? [];
  if (interval) return { everyMinutes: interval.every / MINUTE_MS };
  const [calendar] = calendars ?? [];
  const [hour, minute] = [calendar?.hour[0]?.start, calendar?.minute[0]?.start];
  if (hour === undefined || minute === undefined) return undefined;
  return { at: [hour, minute].map((part) => String(part).padStart(2, '0')).join(':'), timeZone: timezone || 'UTC' };
}

/** `daily at 17:00 Australia/Adelaide`, `every 1 h` */
export function timesText(times: Times | undefined): string {
  if (!times) return 'at times of its own';
  if ('at' in times) return `daily at ${times.at} ${times.timeZone}`;
  const { everyMinutes } = times;
  return `every ${everyMinutes % 60 === 0 ? `${everyMinutes / 60} h` : `${everyMinutes} min`}`;
}
