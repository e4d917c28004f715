/** The phases of a run as rows with bars. */
import { html } from 'hono/html';
import { PENDING, PHASES, phasesOf, secondsOf, shareOf as phaseShare } from '../../messages/phases.ts';
import type { ImportReport, PhaseName, PhaseState } from '../../messages/imports.ts';
import type { RunDetails } from '../userRows.ts';
import { phaseSign } from './badges.ts';
import { count, duration, type Html } from './words.ts';

/** What a page shows of a report, and what a run keeps of it. */
export type PhasesAndCodes = Pick<ImportReport, 'phases' | 'codes'>;

/** @param directory whether the run reads a directory. */
export function phaseList(report: PhasesAndCodes, directory: boolean): Html {
  return html`<ol class="phases">
    ${phasesOf('commit', directory, report).map((name) => phaseRow(name, report.phases[name] ?? PENDING))}
  </ol>`;
}

function phaseRow(name: PhaseName, state: PhaseState): Html {
  const { title, does } = PHASES[name];
  const { status, done, total } = state;
  const share = Math.floor(phaseShare(state) * 100);
  const took = status === 'pending' ? '' : duration(secondsOf(state));
  return html`<li class="${status}">
    ${phaseSign(status)}<span class="phase"><b>${title}</b> <small>${does}</small></span>
    <progress value="${share}" max="100" aria-label="${title}"></progress
    ><span class="n">${total > 1 && `${count(done)}/${count(total)}`}</span><span class="n">${took}</span>
  </li>`;
}

/** How far an import is, for a line: percent of all phases, and the phase it is in. */
export function shareOf(report: ImportReport | undefined): { readonly share: number; readonly words: string } {
  if (!report) return { share: 0, words: 'no worker is responding' };
  const names = phasesOf('commit', Boolean(report.directory) || 'planning' in report.phases, report);
  const parts = names.map((name) => phaseShare(report.phases[name] ?? PENDING));
  const share = Math.floor((parts.reduce((sum, part) => sum + part, 0) / names.length) * 100);
  const current = names.findLast((name) => report.phases[name]?.status === 'running');
  const now = report.waiting ? 'Waits for its host' : current ? PHASES[current].title : 'Starting';
  return { share, words: `${now} · ${share} %` };
}

/** What a run that has ended keeps, for when Temporal has its workflow no more: it was written down before its last two phases ended. */
export function keptReport({ phases, codes, completed_at: at }: RunDetails): PhasesAndCodes | undefined {
  if (!phases || !at) return undefined;
  const done = (state: PhaseState | undefined): PhaseState =>
    state?.status === 'completed' || state?.status === 'skipped'
      ? state
      : {
          ...PENDING,
          ...state,
          status: 'completed',
          done: state?.total ?? 1,
          total: state?.total ?? 1,
          seconds: secondsUntil(at, state),
        };
  const names = Object.keys(phases) as PhaseName[];
  const ended = Object.fromEntries(names.map((name) => [name, done(phases[name])]));
  return {
    codes,
    phases: {
      ...ended,
      ...(phases.finalize ? { finalize: done(phases.finalize), reconcile: done(phases.reconcile) } : {}),
    },
  };
}

const secondsUntil = (at: string, state: PhaseState | undefined): number =>
  state?.startedAt === undefined ? 0 : Math.max(0, Date.parse(at) - Date.parse(state.startedAt)) / 1000;
