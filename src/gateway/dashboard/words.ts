/** How numbers, times and names are written on the pages. */
import { html } from 'hono/html';
import { findKind } from '../../kinds/index.ts';

export type Html = ReturnType<typeof html>;

export const count = (n: number): string => n.toLocaleString('en-US');

/** `1 run`, `12,000 rows`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** `0.8 s`, `1 m 05 s`, `2 h 03 m`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  return whole < 3600
    ? `${Math.floor(whole / 60)} m ${two(whole % 60)} s`
    : `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

const UTC = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** In UTC; the script writes it in the zone of the reader. */
export const time = (iso: string): Html =>
  html`<time datetime="${new Date(iso).toISOString()}">${UTC.format(new Date(iso))} UTC</time>`;

/** `21 Nov` of YYYY-MM-DD. */
export const day = (date: string): string => DAY.format(new Date(`${date}T00:00:00Z`));

/** A kind by its own name, also where a run has one of its aliases. */
export const kindName = (kind: string): string => findKind(kind)?.name ?? kind;

/** `UNKNOWN_DELIVERY_PARTNER` -> `Unknown delivery partner`. */
export function sentence(code: string): string {
  const words = code.replaceAll('_', ' ').toLowerCase();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`.replace(/\b(ds|rm)\b/g, (abbreviation) =>
    abbreviation.toUpperCase(),
  );
}

/** A remedy of the table of errors: its commands as such, and for this run. */
export const prose = (text: string, run = 'ID'): Html =>
  html`${text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part.replace(/\bID\b/, run.slice(0, 8))}</code>`))}`;
