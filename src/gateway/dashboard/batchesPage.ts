/** `/batches`: what tenants posted, answer by answer, and the files that were pushed. */
import type { Client } from '@temporalio/client';
import { html } from 'hono/html';
import { listPushes, type PushLine } from '../../push/list.ts';
import type { Me, PostedBatch } from '../userRows.ts';
import { badge } from './badges.ts';
import { workflowUrl, type TemporalUi } from './schedulesPage.ts';
import { count, plural, sentence, time, type Html } from './words.ts';

export interface BatchesPage {
  readonly batches: readonly PostedBatch[];
  readonly find: string;
  /** Address of the next page, when there is one; `first`: whether this is the first. */
  readonly older: string | undefined;
  readonly first: boolean;
  /** Undefined when Temporal does not answer. */
  readonly pushes: readonly PushLine[] | undefined;
  readonly ui: TemporalUi | undefined;
  /** Whether the person sees anomalies. */
  readonly operates: boolean;
}

export function batchesPage({ batches, find, older, first, pushes, ui, operates }: BatchesPage): Html {
  return html`<h1>Batches and pushes</h1>
    <form class="filters" method="get" action="/batches" aria-label="Find batches">
      <label>Batch or correlation id<input name="find" value="${find}" placeholder="any" /></label>
      <button class="primary">Show</button>${find && html`<a href="/batches">Show all</a>`}
    </form>
    <section class="card" aria-labelledby="batches">
      <h2 id="batches">Batches posted</h2>
      ${batches.length > 0 ? batchTable(batches, operates) : html`<p class="empty">${find ? html`No batch is like that. <a href="/batches">Show all</a>` : 'None yet. They appear when a tenant posts projects.'}</p>`}
    </section>
    <nav class="pager" aria-label="Further batches">
      ${!first && html`<a href="/batches?${new URLSearchParams({ find }).toString()}">Newest</a>`}${older && html`<a href="${older}" rel="next">Older</a>`}
    </nav>
    <section class="card" aria-labelledby="pushes">
      <h2 id="pushes">Files pushed</h2>
      ${pushList(pushes, ui)}
    </section>`;
}

const OUTCOMES = {
  merged: badge('good', 'check', 'Merged'),
  joined: badge('calm', 'copy', 'Joined'),
  replayed: badge('calm', 'copy', 'Unchanged'),
} as const;

const batchTable = (batches: readonly PostedBatch[], operates: boolean): Html =>
  html`<table class="cards">
    <caption class="heard">
      Batches posted, newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Batch</th>
        <th scope="col">Tenant</th>
        <th scope="col">Answer</th>
        <th scope="col" class="n">Rows</th>
        <th scope="col" class="n">New</th>
        <th scope="col" class="n">Updated</th>
        <th scope="col" class="n">Anomalies</th>
        <th scope="col">Correlation id</th>
        <th scope="col">Answered</th>
      </tr>
    </thead>
    <tbody>
      ${batches.map(
        ({
          tenant_id: tenant,
          batch_id: batch,
          correlation_id: correlation,
          outcome,
          answered_at: at,
          rows,
          metrics,
        }) => {
          const numbers = metrics ?? {};
          const anomalies = numbers.anomalies_count ?? 0;
          return html`<tr>
            <th scope="row">${batch}</th>
            <td data-name="Tenant">${tenant}</td>
            <td data-name="Answer">${OUTCOMES[outcome]}</td>
            <td class="n" data-name="Rows">${rows === null ? '–' : count(rows)}</td>
            <td class="n" data-name="New">${count(numbers.inserted_projects ?? 0)}</td>
            <td class="n" data-name="Updated">${count(numbers.updated_projects ?? 0)}</td>
            <td class="n" data-name="Anomalies">
              ${operates && anomalies > 0 ? html`<a href="/anomalies?${new URLSearchParams({ find: correlation }).toString()}" aria-label="${plural(anomalies, 'anomaly', 'anomalies')} of ${batch}">${count(anomalies)}</a>` : count(anomalies)}
            </td>
            <td class="whole" data-name="Correlation id"><code>${correlation}</code></td>
            <td class="wide" data-name="Answered">${time(at)}</td>
          </tr>`;
        },
      )}
    </tbody>
  </table>`;

const ENDED: Readonly<Record<string, Html>> = {
  completed: badge('good', 'check', 'Completed'),
  failed: badge('bad', 'cross', 'Failed'),
  running: badge('busy', 'play', 'Running'),
};

function pushList(pushes: readonly PushLine[] | undefined, ui: TemporalUi | undefined): Html {
  if (!pushes)
    return html`<p class="empty">Temporal does not answer at the moment. Load the page again in a while.</p>`;
  if (pushes.length === 0)
    return html`<p class="empty">
      None that Temporal still knows: <code>intake projects push FILE --tenant TENANT</code>
    </p>`;
  return html`<table class="cards">
    <caption class="heard">
      Files pushed, newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">File</th>
        <th scope="col">Tenant</th>
        <th scope="col">Status</th>
        <th scope="col">Its batches</th>
        <th scope="col">Started</th>
      </tr>
    </thead>
    <tbody>
      ${pushes.map(
        ({ filename, tenantId, status, startedAt, correlationId, workflowId }) =>
          html`<tr>
            <th scope="row">
              ${ui ? html`<a href="${workflowUrl(ui, workflowId, correlationId)}" aria-label="${filename} in Temporal UI">${filename}</a>` : filename}
            </th>
            <td data-name="Tenant">${tenantId}</td>
            <td data-name="Status">${ENDED[status] ?? badge('calm', 'info', sentence(status))}</td>
            <td class="whole" data-name="Its batches">
              <a href="/batches?${new URLSearchParams({ find: correlationId }).toString()}"
                ><code>${correlationId}</code></a
              >
            </td>
            <td class="wide" data-name="Started">${time(startedAt)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const SHOWN_PUSHES = 20;
const PATIENCE_MS = 3_000;

/** Undefined when Temporal does not answer in time. */
export async function visiblePushes(
  client: Client,
  taskQueue: string,
  { tenants }: Me,
): Promise<PushLine[] | undefined> {
  try {
    return await client.connection.withDeadline(Date.now() + PATIENCE_MS, () =>
      listPushes(client, taskQueue, tenants, SHOWN_PUSHES),
    );
  } catch {
    return undefined;
  }
}
