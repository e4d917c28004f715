/** Anomalies by type as lying bars, with the same numbers as a table. */
import { html } from 'hono/html';
import type { AnomalyCount } from '../userRows.ts';
import { count, plural, sentence, type Html } from './words.ts';

/** Units of the drawing: about pixels where there is room. */
const WIDTH = 360;
const STEP = 46;
const SEVERITY = { error: 'error', warning: 'warning', info: 'info' } as const;

/** @param when such as `in 30 days`. */
export function anomaliesChart(anomalies: readonly AnomalyCount[], when: string): Html {
  if (anomalies.length === 0)
    return html`<p class="empty">None ${when}: every partner, specialist and manager was known.</p>`;
  const most = Math.max(...anomalies.map(({ count: n }) => n));
  const total = anomalies.reduce((sum, { count: n }) => sum + n, 0);
  return html`<figure class="chart">
    <svg
      class="lying"
      viewBox="0 0 ${WIDTH} ${anomalies.length * STEP}"
      role="img"
      aria-labelledby="anomalies-title anomalies-words"
    >
      <title id="anomalies-title">Anomalies by type</title>
      <desc id="anomalies-words">
        ${plural(total, 'anomaly', 'anomalies')} ${when}; most of type ${sentence(anomalies[0]!.type)}:
        ${count(anomalies[0]!.count)}.
      </desc>
      ${anomalies.map(
        ({ type, severity, count: n }, i) =>
          html`<g
            ><text x="0" y="${i * STEP + 14}">${sentence(type)}</text>
            <text class="of" x="${WIDTH}" y="${i * STEP + 14}">${count(n)} · ${SEVERITY[severity]}</text>
            <rect class="track" x="0" y="${i * STEP + 21}" width="${WIDTH}" height="12" rx="3" />
            <rect
              class="severity-${SEVERITY[severity]}"
              x="0"
              y="${i * STEP + 21}"
              width="${Math.max(4, (n / most) * WIDTH).toFixed(1)}"
              height="12"
              rx="3"
          /></g>`,
      )}
    </svg>
    <details>
      <summary>Anomalies as a table</summary>
      <table>
        <caption class="heard">
          Anomalies by type and severity
        </caption>
        <thead>
          <tr>
            <th scope="col">Type</th>
            <th scope="col">Severity</th>
            <th scope="col" class="n">Count</th>
          </tr>
        </thead>
        <tbody>
          ${anomalies.map(
            ({ type, severity, count: n }) =>
              html`<tr>
                <th scope="row">${sentence(type)}</th>
                <td>${SEVERITY[severity]}</td>
                <td class="n">${count(n)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>
  </figure>`;
}
