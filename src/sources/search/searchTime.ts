import { parseDate } from '../../values/date.ts';
import { EMPTY, type Result } from '../../values/result.ts';
import { text } from '../../values/text.ts';

const TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:Z|UTC|([+-])(\d\d):?(\d\d)?)?)?$/i;
/** The same without signs between: `20250803T140310Z`. */
const BASIC = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(.*))?$/i;
const MINUTE = 60_000;

/**
 * The instant of a search as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, so that texts sort as instants do; UTC where no zone is written.
 * Digits beyond PostgreSQL's microseconds are cut.
 */
export function parseSearchTime(value: string | null | undefined): Result<string> {
  const trimmed = text(value);
  if (trimmed === null) return EMPTY;
  const found = TIME.exec(
    trimmed.replace(
      BASIC,
      (_, year, month, day, hour, minute, second, rest) =>
        [year, month, day].join('-') + (hour === undefined ? '' : `T${hour}:${minute}:${second}${rest}`),
    ),
  );
  if (!found) return { error: 'BAD_DATE' };
  const [
    ,
    date = '',
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    sign,
    zoneHours = '0',
    zoneMinutes = '0',
  ] = found;
  const exists = +hour < 24 && +minute < 60 && +second < 60 && +zoneHours < 16 && +zoneMinutes < 60;
  if (!exists || parseDate(date, 'mdy').error) return { error: 'BAD_DATE' };
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  if (sign === undefined) return { value: `${date}T${hour}:${minute}:${second}.${micros}Z` };
  const ahead = (sign === '-' ? -1 : 1) * (+zoneHours * 60 + +zoneMinutes) * MINUTE;
  const instant = new Date(Date.parse(`${date}T${hour}:${minute}:${second}Z`) - ahead);
  return { value: `${instant.toISOString().slice(0, 19)}.${micros}Z` };
}
