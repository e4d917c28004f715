/** The phases of a run as rows with bars. */
import { html } from 'hono/html';
import { phasesOf } from '../../runs/phases.ts';
import type { ImportReport, PhaseName, PhaseState } from '../../messages/imports.ts';
import { phaseSign } from './badges.ts';
import { count, duration, type Html } from './words.ts';

const WORDS: Record<PhaseName, readonly [name: string, what: string]> = {
  plan: ['Plan', 'encoding, delimiter, header'],
  hash: ['Hash', 'content and record boundaries'],
  claim: ['Claim', 'this batch is ours alone'],
  upload: ['Upload', 'the source goes to storage'],
  parse: ['Parse', 'rows are checked and staged'],
  resolve: ['Resolve', 'rows are matched with what is there'],
  upsert: ['Upsert', 'rows go to the production tables'],
  compare: ['Compare', 'tables against the source'],
  finalize: ['Finalize', 'counters and summary'],
  reconcile: ['Reconcile', 'the final tables are counted'],
  planning: ['Plan', 'files, licences and images'],
  sha256: ['Hash', 'every image'],
  import: ['Import', 'licences go to the tables'],
};
const NOT_BEGUN: PhaseState = { status: 'pending', done: 0, total: 0, failed: 0, skipped: 0 };

/** @param directory whether the run reads a directory. */
export function phaseList(report: ImportReport, directory: boolean): Html {
  return html`<ol class="phases">
    ${phasesOf('commit', directory, report).map((name) => phaseRow(name, report.phases[name] ?? NOT_BEGUN))}
  </ol>`;
}

function phaseRow(name: PhaseName, state: PhaseState): Html {
  const [title, what] = WORDS[name];
  const { status, done, total, seconds, startedAt } = state;
  const share = status === 'completed' ? 100 : total > 0 ? Math.floor((done / total) * 100) : 0;
  const took =
    status === 'pending'
      ? ''
      : duration(seconds ?? Math.max(0, (Date.now() - Date.parse(startedAt ?? '')) / 1000 || 0));
  return html`<li class="${status}">
    ${phaseSign(status)}<span class="phase"><b>${title}</b> <small>${what}</small></span>
    <progress value="${share}" max="100" aria-label="${title}"></progress
    ><span class="n">${total > 1 && `${count(done)}/${count(total)}`}</span><span class="n">${took}</span>
  </li>`;
}

/** How far an import is, for a line: percent of all phases, and the phase it is in. */
export function shareOf(report: ImportReport | undefined): { readonly share: number; readonly words: string } {
  if (!report) return { share: 0, words: 'no worker answers' };
  const names = phasesOf('commit', Boolean(report.directory) || 'planning' in report.phases, report);
  const parts = names.map((name) => {
    const { status, done, total } = report.phases[name] ?? NOT_BEGUN;
    return status === 'completed' ? 1 : total > 0 ? done / total : 0;
  });
  const share = Math.floor((parts.reduce((sum, part) => sum + part, 0) / names.length) * 100);
  const current = names.findLast((name) => report.phases[name]?.status === 'running');
  return { share, words: `${current ? WORDS[current][0] : 'Starting'} · ${share} %` };
}
