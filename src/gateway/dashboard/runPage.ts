/** `/runs/<id>`: one run, what it did and what may be done to it. */
import { html } from 'hono/html';
import { ERRORS, type ErrorCode } from '../../errors.ts';
import { ALL_ROW_ERRORS, findKind } from '../../kinds/index.ts';
import { differenceSentences, differencesOf, isDifference } from '../../messages/differences.ts';
import { actionBar } from './actionBar.ts';
import { runBadge } from './badges.ts';
import { findings } from './findings.ts';
import { keptReport, phaseList, type PhasesAndCodes } from './phases.ts';
import type { WorkflowState } from './report.ts';
import type { RunAction, RunDetails, RunView } from '../userRows.ts';
import { count, duration, kindName, plural, prose, sentence, time, type Html } from './words.ts';

export interface RunPage extends RunView {
  readonly workflow: WorkflowState;
  /** Address of the workflow in Temporal UI. */
  readonly temporalUi: string | undefined;
  /** What was just asked for. */
  readonly done: string | undefined;
}

const DONE: Readonly<Record<string, string>> = {
  cancel: 'Cancelling. The run is cancelled when its running steps have ended.',
  resume: 'The import goes on where it stopped.',
  rollback: 'The run is rolled back. Its file may be imported again.',
};

export function runPage({ run, operates, actions, workflow, temporalUi, done, me }: RunPage): Html {
  const active = isActive(run, workflow);
  return html`<p class="crumbs"><a href="/runs">Runs</a></p>
<header class="title"><div><h1>${run.filename}</h1>
<p>${runBadge(active && run.status === 'failed' ? { ...run, status: 'processing' } : run)} <span>${kindName(run.kind)}${run.source !== kindName(run.kind) && ` from ${run.source}`}</span> <span>started ${time(run.created_at)}</span>${!active && html` <span>took ${duration(run.seconds)}</span>`}</p></div>
${operates && actionBar(active ? { ...run, status: 'processing' } : run, workflow.running)}</header>
${done && DONE[done] && html`<p class="notice good" role="status">${DONE[done]}</p>`}
${run.status === 'failed' && !active && errorBox(run)}
<section class="card" aria-labelledby="progress"><h2 id="progress">${active ? 'Progress' : run.status === 'rolled_back' ? 'What it did before it was rolled back' : 'What it did'}</h2>
<div${active && workflow.running !== false ? html` data-live="/runs/${run.id}/live"` : ''}>${progress(run, workflow)}</div><p class="heard" role="status"></p></section>
${findings(run, workflow.report, operates)}
<div class="columns${actions || run.rollback ? '' : ' one'}">
${facts(run, temporalUi)}
${(actions || run.rollback) && html`<div class="stack">${run.rollback && rolledBack(run)}${actions && history(actions, me.user_id)}</div>`}
</div>`;
}

/** A resumed run is failed until its workflow has claimed it again. */
const isActive = ({ status }: RunDetails, { running }: WorkflowState): boolean =>
  status === 'processing' || status === 'pending' || (status === 'failed' && running === true);

/** Counts and phases: what the page shows first and what is sent while the run goes on. */
export function progress(run: RunDetails, workflow: WorkflowState): Html {
  const { report } = workflow;
  const active = isActive(run, workflow);
  const { fetched, inserted, updated, skipped, errored } = report && active ? report.counts : run;
  const known = report ?? (active ? undefined : keptReport(run));
  const parts = [
    ['inserted', 'New', inserted],
    ['updated', 'Updated', updated],
    ['skipped', 'Skipped', skipped],
    ['errored', 'Rejected', errored],
  ] as const;
  const whole = Math.max(fetched, inserted + updated + skipped + errored, 1);
  let at = 0;
  return html`<dl class="tiles counts">
      <div>
        <dt>Rows read</dt>
        <dd><b>${count(fetched)}</b></dd>
      </div>
      ${parts.map(
        ([name, word, n]) =>
          html`<div>
            <dt><i class="dot ${name}"></i>${word}</dt>
            <dd><b>${count(n)}</b></dd>
          </div>`,
      )}
    </dl>
    <svg class="parts" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="1000" height="10" />
      ${parts.map(([name, , n]) => {
        const width = (n / whole) * 1000;
        const rect = html`<rect class="${name}" x="${at.toFixed(1)}" width="${width.toFixed(1)}" height="10" />`;
        at += width;
        return rect;
      })}
    </svg>
    ${known && phaseList(known, isDirectory(run))}${known && rejected(known)}
    ${!known && withoutReport(run, active, workflow)}`;
}

function withoutReport(run: RunDetails, active: boolean, workflow: WorkflowState): Html {
  if (active) return html`<p class="empty">${standsStill(run, workflow)}</p>`;
  if (run.status === 'duplicate')
    return html`<p class="hint">
      Nothing was done: the batch is imported already, by run ${runLink(run.duplicate_of)}.
    </p>`;
  return html`<p class="hint">Temporal has no phases of it any more.</p>`;
}

const runLink = (id: string | null): Html =>
  id === null ? html`unknown` : html`<a href="/runs/${id}"><code>${id.slice(0, 8)}</code></a>`;

function standsStill({ id, status }: RunDetails, { running, standstill }: WorkflowState): Html {
  if (standstill?.reason === 'failing')
    return html`${standstill.message}. <code>intake resume ${id} --restart</code> begins it again; what is done stays
      done.`;
  if (standstill) return html`${standstill.message}. <code>intake worker</code> starts one.`;
  if (running === false && status !== 'failed')
    return html`ORPHANED: Temporal has no workflow that works on this run. Resume it: it goes on where it stopped.`;
  return html`No worker tells how far it is. <code>intake doctor</code> says whether one runs.`;
}

const isDirectory = ({ kind }: RunDetails): boolean => findKind(kind)?.reads === 'directory';

function rejected({ codes }: PhasesAndCodes): Html | false {
  const found = Object.entries(codes);
  return (
    found.length > 0 &&
    html`<h3>Why rows were rejected</h3>
      <ul class="codes">
        ${found.map(
          ([code, n]) =>
            html`<li>
              <b>${count(n)}</b>
              <span>${sentence(code)} <code>${code}</code> <small>${prose(ALL_ROW_ERRORS[code] ?? '')}</small></span>
            </li>`,
        )}
      </ul>`
  );
}

function errorBox({ id, error_type: type, error_message: message }: RunDetails): Html {
  const cancelled = type === 'cancelled';
  const code = cancelled ? 'CANCELLED' : (type ?? 'INTERNAL');
  const remedy = code in ERRORS ? ERRORS[code as ErrorCode].remedy : '';
  return html`<section class="notice ${cancelled ? 'warn' : 'bad'}" aria-label="Why it stopped">
    <p><strong>${message ?? 'The run failed'}</strong> <code>${code}</code></p>
    <p>${prose(remedy, id)}</p>
  </section>`;
}

function facts(run: RunDetails, temporalUi: string | undefined): Html {
  const differences = differencesOf(run.effects ?? undefined, findKind(run.kind)?.effects.fields);
  return html`<section class="card" aria-labelledby="facts">
    <h2 id="facts">Facts</h2>
    <dl class="facts">
      <dt>Run</dt>
      <dd><code>${run.id}</code></dd>
      <dt>Batch</dt>
      <dd>${run.batch_name && html`${run.batch_name} `}<code>${run.batch_id}</code></dd>
      <dt>Content</dt>
      <dd><code>${run.file_hash.slice(0, 16)}</code></dd>
      ${
        run.completed_at &&
        html`<dt>Ended</dt>
          <dd>${time(run.completed_at)}</dd>`
      }
      ${
        run.duplicate_of &&
        html`<dt>Imported by</dt>
          <dd>${runLink(run.duplicate_of)}</dd>`
      }
      ${
        run.parent_run_id &&
        html`<dt>After run</dt>
          <dd>${runLink(run.parent_run_id)}</dd>`
      }
      ${
        differences &&
        html`<dt>Differences</dt>
          <dd>${differenceSentences(differences, run).join('; ')}</dd>`
      }
      ${
        run.effects &&
        Object.entries(run.effects)
          .filter(([name, n]) => n > 0 && !isDifference(name))
          .map(
            ([name, n]) =>
              html`<dt>${sentence(name)}</dt>
                <dd>${count(n)}</dd>`,
          )
      }
      <dt>Workflow</dt>
      <dd>
        ${run.workflow_id ? html`<code class="long">${run.workflow_id}</code>${temporalUi && html` <a href="${temporalUi}">Open in Temporal UI</a>`}` : 'none'}
      </dd>
    </dl>
  </section>`;
}

function rolledBack({ rollback, rolled_back_at: at, rollback_reason: reason }: RunDetails): Html {
  const { rows_affected: rows = 0, removed = 0, inherited = 0, kept_edited: kept } = rollback ?? {};
  return html`<section class="card" aria-labelledby="rolled">
    <h2 id="rolled">Rolled back</h2>
    <p>${at && time(at)}: ${reason}</p>
    <p>
      ${plural(rows, 'row')} affected, ${count(removed)} removed, ${count(inherited)} inherited by other runs,
      ${count(kept?.count ?? 0)} kept because edited or in use.
    </p>
  </section>`;
}

const ASKED = { cancel: 'Cancel', resume: 'Resume', rollback: 'Roll back', rejects: 'Rejects downloaded' } as const;

const history = (actions: readonly RunAction[], me: string): Html =>
  html`<section class="card" aria-labelledby="history">
    <h2 id="history">Actions</h2>
    ${
      actions.length === 0
        ? html`<p class="empty">Nobody has done anything to this run from the dashboard.</p>`
        : html`<ul class="history">
            ${actions.map(
              ({ action, reason, user_id: user, created_at: at }) =>
                html`<li>
                  <b>${ASKED[action]}</b> by ${user === me ? 'you' : html`<code>${user.slice(0, 8)}</code>`},
                  ${time(at)}${reason && html`<br /><q>${reason}</q>`}
                </li>`,
            )}
          </ul>`
    }
  </section>`;
