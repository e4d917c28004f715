/** `/anomalies`: statistics of a day, and pages of a hundred, the worst first. */
import { html } from 'hono/html';
import { severityBadge } from './badges.ts';
import type { Anomalies, Anomaly, Severity } from '../userRows.ts';
import { select } from './runsPage.ts';
import { count, plural, sentence, time, type Html } from './words.ts';

export interface AnomalyFilters {
  readonly tenant: string;
  readonly severity: string;
  readonly type: string;
  readonly find: string;
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];
const TYPES = ['UNKNOWN_DELIVERY_PARTNER', 'UNKNOWN_DS', 'UNKNOWN_RM', 'UNREADABLE_VALUE', 'DUPLICATE_ROW'];

/** @param later whether this is a page after the first. */
export function anomaliesPage({ stats, page }: Anomalies, filters: AnomalyFilters, later: boolean): Html {
  const { anomalies: recent, next, total } = page;
  const pageAt = (at: object): string => `/anomalies?${new URLSearchParams({ ...filters, ...at }).toString()}`;
  const filtered = Object.values(filters).some(Boolean);
  return html`<h1>Anomalies</h1>
    <p class="lead">
      Valid project rows whose partner, specialist or manager nobody knows yet. Add the name to a directory; the next
      import finds it.
    </p>
    <section class="card" aria-labelledby="stats">
      <h2 id="stats">Last 24 hours</h2>
      ${
        stats.length === 0
          ? html`<p class="empty">None.</p>`
          : html`<div class="scroll" tabindex="0" role="region" aria-label="Anomalies of the last 24 hours">
              <table>
                <caption class="heard">
                  Anomalies of the last 24 hours by tenant, type and severity
                </caption>
                <thead>
                  <tr>
                    <th scope="col">Tenant</th>
                    <th scope="col">Type</th>
                    <th scope="col">Severity</th>
                    <th scope="col" class="n">Count</th>
                    <th scope="col">Most recent</th>
                  </tr>
                </thead>
                <tbody>
                  ${stats.map(
                    (row) =>
                      html`<tr>
                        <th scope="row">${row.tenant_id}</th>
                        <td>${sentence(row.category)}</td>
                        <td>${severityBadge(row.severity)}</td>
                        <td class="n">${count(row.count)}</td>
                        <td>${time(row.most_recent)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
      }
    </section>
    <form class="filters" method="get" action="/anomalies" aria-label="Filter the anomalies">
      ${select(
        'severity',
        'Severity',
        filters.severity,
        SEVERITIES.map((severity) => [severity, sentence(severity)]),
      )}
      ${select(
        'type',
        'Type',
        filters.type,
        TYPES.map((type) => [type, sentence(type)]),
      )}
      <label>Tenant<input name="tenant" value="${filters.tenant}" placeholder="any" /></label>
      <label>Batch, correlation id or project<input name="find" value="${filters.find}" placeholder="any" /></label>
      <button class="primary">Show</button>${filtered && html`<a href="/anomalies">Show all</a>`}
    </form>
    ${recent.length === 0 && html`<section class="card"><p class="empty">${filtered ? 'None is like that.' : 'None yet. They appear when projects are imported.'}</p></section>`}
    ${SEVERITIES.map((severity) =>
      group(
        severity,
        recent.filter((anomaly) => anomaly.severity === severity),
      ),
    )}
    ${recent.length > 0 && html`<p class="hint">${plural(total, 'anomaly', 'anomalies')}, the worst first${recent.length < total && html`; ${recent.length} here`}.</p>`}
    ${(later || next) && html`<nav class="pager" aria-label="Pages of anomalies">${later && html`<a href="${pageAt({})}">Worst</a>`}${next && html`<a href="${pageAt({ after: next })}" rel="next">More</a>`}</nav>`}`;
}

function group(severity: Severity, anomalies: readonly Anomaly[]): Html | false {
  return (
    anomalies.length > 0 &&
    html`<section class="card" aria-labelledby="${severity}">
      <h2 id="${severity}">${severityBadge(severity)} ${count(anomalies.length)}</h2>
      <ul class="anomalies">
        ${anomalies.map(entry)}
      </ul>
    </section>`
  );
}

const entry = ({
  anomaly_type: type,
  tenant_id: tenant,
  created_at: at,
  input_value: value,
  field,
  reason,
  batch_id: batch,
  row_index: row,
  project_key: project,
  correlation_id: correlation,
  payload_excerpt: excerpt,
}: Anomaly): Html =>
  html`<li>
    <p>
      <b>${sentence(type)}</b>${value && html` <q>${value}</q>`}
      <small>${[tenant, field, project].filter(Boolean).join(' · ')} · ${time(at)}</small>
    </p>
    <details>
      <summary>Batch ${batch}${row !== null && `, row ${row}`}</summary>
      ${
        correlation &&
        html`<p>
          Correlation id
          <a href="/batches?${new URLSearchParams({ find: correlation }).toString()}"><code>${correlation}</code></a>
        </p>`
      }${reason && html`<p>${reason}</p>`}${excerpt && html`<pre>${excerpt.slice(0, 500)}</pre>`}
    </details>
  </li>`;
