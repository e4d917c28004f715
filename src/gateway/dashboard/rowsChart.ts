/** Rows per day as stacked bars, one colour a kind, with the same numbers as a table. */
import { html } from 'hono/html';
import { KINDS } from '../../kinds/index.ts';
import type { DayRows } from '../userRows.ts';
import { count, day as dayName, kindName, plural, type Html } from './words.ts';

export interface RowsChart {
  readonly days: readonly DayRows[];
  /** First and last day, YYYY-MM-DD. */
  readonly since: string;
  readonly until: string;
}

/** From bottom to top. */
const ORDER = KINDS.map(({ name }) => name);
const DAY_MS = 86_400_000;
/** Units of the drawing, which is stretched to its place: widths of a day and of its bar, height. */
const SLOT = 10;
const BAR = 7;
const HEIGHT = 100;

interface Day {
  readonly date: string;
  readonly total: number;
  readonly kinds: readonly (readonly [kind: string, rows: number])[];
}

export function rowsChart(chart: RowsChart): Html {
  const days = daysOf(chart);
  const total = days.reduce((sum, day) => sum + day.total, 0);
  if (total === 0)
    return html`<p class="empty">
      No rows in these ${days.length} days. <code>intake import plaintiffs FILE --commit</code> brings the first.
    </p>`;
  const kinds = [...new Set(days.flatMap((day) => day.kinds.map(([kind]) => kind)))].sort(byOrder);
  const top = ceiling(Math.max(...days.map((day) => day.total)));
  const best = days.reduce((a, b) => (b.total > a.total ? b : a));
  return html`<figure class="chart">
    <div class="plot">
      <div class="scale" aria-hidden="true"><span>${short(top)}</span><span>${short(top / 2)}</span><span>0</span></div>
      <svg
        viewBox="0 0 ${days.length * SLOT} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-labelledby="rows-title rows-words"
      >
        <title id="rows-title">Rows imported per day</title>
        <desc id="rows-words">
          ${plural(total, 'row')} in ${days.length} days; most on ${dayName(best.date)}: ${count(best.total)}.
        </desc>
        ${[0, 50, 100].map((y) => html`<line class="grid" x1="0" x2="${days.length * SLOT}" y1="${y}" y2="${y}" />`)}
        ${days.map((day, i) => bars(day, i, top))}
      </svg>
      <div class="scale days" aria-hidden="true">
        <span>${dayName(days[0]!.date)}</span><span>${dayName(days[Math.floor(days.length / 2)]!.date)}</span
        ><span>today</span>
      </div>
    </div>
    <ul class="legend" aria-label="Colours">
      ${kinds.map(
        (kind) =>
          html`<li>
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <rect class="${colour(kind)}" width="10" height="10" rx="2" /></svg
            >${kind}
          </li>`,
      )}
    </ul>
    ${table(
      days.filter((day) => day.total > 0),
      kinds,
    )}
  </figure>`;
}

function daysOf({ days, since, until }: RowsChart): Day[] {
  const first = Date.parse(since);
  const length = Math.round((Date.parse(until) - first) / DAY_MS) + 1;
  return Array.from({ length }, (_, i) => {
    const date = new Date(first + i * DAY_MS).toISOString().slice(0, 10);
    const rows = new Map<string, number>();
    for (const row of days)
      if (row.day === date) rows.set(kindName(row.kind), (rows.get(kindName(row.kind)) ?? 0) + row.rows);
    const kinds = [...rows].sort(([a], [b]) => byOrder(a, b));
    return { date, kinds, total: kinds.reduce((sum, [, n]) => sum + n, 0) };
  });
}

/** One bar from the bottom up; what the mouse is told stands in its title. */
function bars({ date, total, kinds }: Day, i: number, top: number): Html {
  let below = 0;
  const parts = kinds.map(([kind, rows]) => {
    const height = (rows / top) * HEIGHT;
    below += height;
    return html`<rect
      class="${colour(kind)}"
      x="${i * SLOT + (SLOT - BAR) / 2}"
      y="${(HEIGHT - below).toFixed(2)}"
      width="${BAR}"
      height="${height.toFixed(2)}"
    />`;
  });
  const words = `${dayName(date)}: ${total === 0 ? 'no rows' : kinds.map(([kind, rows]) => `${kind} ${count(rows)}`).join(', ')}`;
  return html`<g
    ><title>${words}</title><rect class="slot" x="${i * SLOT}" y="0" width="${SLOT}" height="${HEIGHT}" />${parts}</g
  >`;
}

/** A kind that a person claimed under a name of their own is the last. */
const placeOf = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
const byOrder = (a: string, b: string): number => placeOf(a) - placeOf(b);
const colour = (kind: string): string => (ORDER.includes(kind) ? `kind-${kind}` : 'kind-other');

/** The next of these times a power of ten: its half reads well, too. */
function ceiling(n: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 2)));
  return power * ([1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= n) ?? 10);
}

const short = (n: number): string => n.toLocaleString('en-US', { notation: 'compact' });

const table = (days: readonly Day[], kinds: readonly string[]): Html =>
  html`<details>
    <summary>Rows per day as a table</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of rows per day">
      <table>
        <caption class="heard">
          Rows per day and kind
        </caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            ${kinds.map((kind) => html`<th scope="col" class="n">${kind}</th>`)}
            <th scope="col" class="n">all</th>
          </tr>
        </thead>
        <tbody>
          ${days.toReversed().map(
            (day) =>
              html`<tr>
                <th scope="row">${dayName(day.date)}</th>
                ${kinds.map(
                  (kind) => html`<td class="n">${count(day.kinds.find(([name]) => name === kind)?.[1] ?? 0)}</td>`,
                )}
                <td class="n">${count(day.total)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
