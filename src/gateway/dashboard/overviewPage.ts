/** `/`: what runs now, what the last day brought, the last thirty days. */
import { html } from 'hono/html';
import type { ImportReport } from '../../messages/imports.ts';
import { anomaliesChart } from './anomaliesChart.ts';
import { rowsChart } from './rowsChart.ts';
import { runTable } from './runTable.ts';
import type { Overview, RunLine } from '../userRows.ts';
import { shareOf } from './phases.ts';
import { count, kindName, plural, type Html } from './words.ts';

export type Running = readonly (readonly [run: RunLine, report: ImportReport | undefined])[];

export function overviewPage(
  { latest, day, batches, days, since, until, anomalies }: Overview,
  running: Running,
): Html {
  return html`<h1>Overview</h1>
    <section aria-labelledby="day">
      <h2 id="day">Last 24 hours</h2>
      <dl class="tiles">
        ${tile('Runs', day.runs, day.failed > 0 ? `${count(day.completed)} completed, ${count(day.failed)} failed` : `${count(day.completed)} completed`)}
        ${tile('Rows read', day.rows, `${count(day.inserted)} new, ${count(day.updated)} updated`)}
        ${tile('Rejected rows', day.errored, day.errored > 0 ? 'to download, mend and import again' : 'nothing to mend')}
        ${tile(html`<a href="/batches">Batches posted</a>`, batches.batches, plural(Number(batches.rows), 'project row'))}
      </dl>
    </section>
    <section class="card" aria-labelledby="now">
      <h2 id="now">Running now</h2>
      <div data-live="/live">${runningList(running)}</div>
      <p class="heard" role="status"></p>
    </section>
    <div class="columns${anomalies ? '' : ' one'}">
      <section class="card wide" aria-labelledby="rows">
        <h2 id="rows">Rows per day</h2>
        ${rowsChart({ days, since, until })}
      </section>
      ${
        anomalies &&
        html`<section class="card" aria-labelledby="types">
          <div class="head">
            <h2 id="types">Anomalies by type</h2>
            <a href="/anomalies">All anomalies</a>
          </div>
          ${anomaliesChart(anomalies, 'in 30 days')}
        </section>`
      }
    </div>
    <section class="card" aria-labelledby="latest">
      <div class="head">
        <h2 id="latest">Latest runs</h2>
        <a href="/runs">All runs</a>
      </div>
      ${latest.length > 0 ? runTable(latest, 'The latest runs') : html`<p class="empty">No runs yet. Begin with a dry run: <code>intake import plaintiffs FILE</code></p>`}
    </section>`;
}

const tile = (name: string | Html, n: number, words: string): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd><b>${count(Number(n))}</b><small>${words}</small></dd>
  </div>`;

/** What the page shows first and what is sent while it is open. */
export function runningList(running: Running): Html {
  if (running.length === 0) return html`<p class="empty">Nothing at the moment. An import appears here by itself.</p>`;
  return html`<ul class="running">
    ${running.map(([run, report]) => {
      const { words, share } = shareOf(report);
      return html`<li>
        <a href="/runs/${run.id}">${run.filename}</a> <small>${kindName(run.kind)}</small>
        <progress value="${share}" max="100" aria-label="${run.filename}"></progress><span class="n">${words}</span>
      </li>`;
    })}
  </ul>`;
}
