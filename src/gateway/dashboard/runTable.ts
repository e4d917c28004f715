/** Runs in rows: a table where there is room, cards on a phone. */
import { html } from 'hono/html';
import { runBadge } from './badges.ts';
import type { RunLine } from '../userRows.ts';
import { count, duration, kindName, time, type Html } from './words.ts';

export const runTable = (runs: readonly RunLine[], caption: string): Html =>
  html`<table class="cards">
    <caption class="heard">
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">File</th>
        <th scope="col">Status</th>
        <th scope="col">Kind and source</th>
        <th scope="col" class="n">Rows</th>
        <th scope="col" class="n">New</th>
        <th scope="col" class="n">Rejected</th>
        <th scope="col" class="n">Took</th>
        <th scope="col">Started</th>
      </tr>
    </thead>
    <tbody>
      ${runs.map(
        (run) =>
          html`<tr>
            <th scope="row"><a href="/runs/${run.id}">${run.filename}</a></th>
            <td data-name="Status">${runBadge(run)}</td>
            <td class="wide" data-name="Kind and source">
              ${kindName(run.kind)}${run.source !== kindName(run.kind) && html` <small>from ${run.source}</small>`}
            </td>
            <td class="n" data-name="Rows">${count(run.fetched)}</td>
            <td class="n" data-name="New">${count(run.inserted)}</td>
            <td class="n" data-name="Rejected">
              ${run.errored > 0 ? html`<strong class="errored">${count(run.errored)}</strong>` : '0'}
            </td>
            <td class="n" data-name="Took">${run.status === 'duplicate' ? '–' : duration(run.seconds)}</td>
            <td class="wide" data-name="Started">${time(run.created_at)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
