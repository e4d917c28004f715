/** `/schedules`: what runs by itself, and when. */
import { html } from 'hono/html';
import { type ScheduleRun, type ScheduleView, listSchedules } from '../../schedules/view.ts';
import { badge } from './badges.ts';
import { sentence, time, type Html } from './words.ts';
import type { Client } from '@temporalio/client';
import type { Me } from '../userRows.ts';

/** @param schedules undefined when Temporal does not answer. */
export function schedulesPage(schedules: readonly ScheduleView[] | undefined, ui: TemporalUi | undefined): Html {
  return html`<h1>Schedules</h1>
    <section class="card" aria-label="Schedules">${list(schedules, ui)}</section>
    <p class="hint">Operators change them with <code>intake schedule</code>.</p>`;
}

function list(schedules: readonly ScheduleView[] | undefined, ui: TemporalUi | undefined): Html {
  if (!schedules)
    return html`<p class="empty">Temporal does not answer at the moment. Load the page again in a while.</p>`;
  if (schedules.length === 0)
    return html`<p class="empty">
      Nothing runs by itself yet. A tenant's daily import:
      <code>intake schedule add projects --tenant TENANT --from FOLDER --timezone Australia/Adelaide</code>
    </p>`;
  return html`<table class="cards">
    <caption class="heard">
      Schedules with their next runs
    </caption>
    <thead>
      <tr>
        <th scope="col">Schedule</th>
        <th scope="col">State</th>
        <th scope="col">When</th>
        <th scope="col">Next runs</th>
        <th scope="col">Last run</th>
      </tr>
    </thead>
    <tbody>
      ${schedules.map(
        ({ id, what, when, next, runs, paused, note }) =>
          html`<tr>
            <th scope="row">${id}<br /><small>${what}</small></th>
            <td data-name="State">
              ${paused ? badge('warn', 'pause', 'Paused') : badge('good', 'check', 'Active')}${paused && note && html`<br /><small>${note}</small>`}
            </td>
            <td class="wide" data-name="When">${when}</td>
            <td class="whole" data-name="Next runs">
              <ol class="plain">
                ${next.slice(0, 3).map(({ at, local }) => html`<li>${local} <small>${time(at)}</small></li>`)}
              </ol>
            </td>
            <td class="whole" data-name="Last run">${runs[0] ? lastRun(id, runs[0], ui) : 'none yet'}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const ENDED = {
  completed: badge('good', 'check', 'Completed'),
  failed: badge('bad', 'cross', 'Failed'),
  running: badge('busy', 'play', 'Running'),
} as const;

function lastRun(
  id: string,
  { status, started_at: at, workflow_id: workflow }: ScheduleRun,
  ui: TemporalUi | undefined,
): Html {
  const state = status in ENDED ? ENDED[status as keyof typeof ENDED] : badge('calm', 'info', sentence(status));
  return html`${state}<br /><small
      >${ui ? html`<a href="${workflowUrl(ui, workflow)}" aria-label="Last run of ${id} in Temporal UI">${time(at)}</a>` : time(at)}</small
    >`;
}

export interface TemporalUi {
  /** Without a slash at its end. */
  readonly url: string;
  readonly namespace: string;
}

/** @param execution the latest one unless given. */
export const workflowUrl = ({ url, namespace }: TemporalUi, workflowId: string, execution?: string | null): string =>
  `${url}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}${execution ? `/${execution}/history` : ''}`;

const PATIENCE_MS = 5_000;

/** With roles of single tenants only their daily imports. Undefined when Temporal does not answer. */
export async function visibleSchedules(
  client: Client,
  taskQueue: string,
  { tenants }: Me,
): Promise<ScheduleView[] | undefined> {
  try {
    const all = await client.connection.withDeadline(Date.now() + PATIENCE_MS, () => listSchedules(client, taskQueue));
    return tenants.includes('*')
      ? all
      : all.filter(
          ({ id, workflow }) => workflow === 'scheduledPush' && tenants.some((tenant) => id === `projects-${tenant}`),
        );
  } catch {
    return undefined;
  }
}
