/** `/runs`: all runs, filtered, a page at a time. */
import { html, raw } from 'hono/html';
import { KINDS } from '../../kinds/index.ts';
import type { RunLine } from '../userRows.ts';
import { runTable } from './runTable.ts';
import type { Html } from './words.ts';

export interface RunFilters {
  readonly kind: string;
  readonly status: string;
  readonly source: string;
}

const STATUSES = [
  ['completed', 'Completed'],
  ['processing', 'Running'],
  ['failed', 'Failed'],
  ['rolled_back', 'Rolled back'],
  ['duplicate', 'Duplicate'],
  ['pending', 'Pending'],
] as const;

/** @param older address of the next page, when there is one; `first`: whether this is the first. */
export function runsPage(
  runs: readonly RunLine[],
  filters: RunFilters,
  { older, first }: { older: string | undefined; first: boolean },
): Html {
  const filtered = Object.values(filters).some(Boolean);
  return html`<h1>Runs</h1>
    <form class="filters" method="get" action="/runs" aria-label="Filter the runs">
      ${select(
        'kind',
        'Kind',
        filters.kind,
        KINDS.map(({ name }) => [name, name]),
      )}
      ${select('status', 'Status', filters.status, STATUSES)}
      <label>Source<input name="source" value="${filters.source}" placeholder="any" /></label>
      <button class="primary">Show</button>${filtered && html`<a href="/runs">Show all</a>`}
    </form>
    <section class="card" aria-label="Runs">
      ${runs.length > 0 ? runTable(runs, 'Runs, newest first') : html`<p class="empty">${filtered ? html`No runs match these filters. <a href="/runs">Show all</a>` : html`No runs yet. Begin with a dry run: <code>intake import plaintiffs FILE</code>`}</p>`}
    </section>
    <nav class="pager" aria-label="Further runs">
      ${!first && html`<a href="/runs?${new URLSearchParams({ ...filters }).toString()}">Newest</a>`}${older && html`<a href="${older}" rel="next">Older</a>`}
    </nav>`;
}

/** A choice of one or any. */
export const select = (
  name: string,
  label: string,
  chosen: string,
  options: readonly (readonly [value: string, word: string])[],
): Html =>
  html`<label
    >${label}<select name="${name}">
      <option value="">any</option>
      ${options.map(([value, word]) => html`<option value="${value}" ${value === chosen ? raw(' selected') : ''}>${word}</option>`)}
    </select></label
  >`;
