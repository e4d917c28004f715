/** The report of an import while it runs: phases, counts, current details in Temporal UI. */
import { ContinueAsNew, setCurrentDetails } from '@temporalio/workflow';
import type { DirectoryReport } from '../../messages/directory.ts';
import type { ImportReport, PhaseName, PhaseState } from '../../messages/imports.ts';
import { PENDING, PHASE_MARKS, remainingSeconds, secondsOf } from '../../messages/phases.ts';
import { now } from '../execution.ts';

/** Runs `work` as a phase; `total` counts its units. A phase that was begun before continue-as-new goes on. */
export async function runPhase<T>(
  report: ImportReport,
  name: PhaseName,
  work: (state: PhaseState) => Promise<T>,
  total = 1,
): Promise<T> {
  const state = (report.phases[name] ??= { ...PENDING, startedAt: now() });
  state.status = 'running';
  state.total = total;
  publishProgress(report);
  try {
    const result = await work(state);
    finish(state, 'completed');
    if (total === 1) state.done = 1;
    publishProgress(report);
    return result;
  } catch (error) {
    if (!(error instanceof ContinueAsNew)) finish(state, 'failed');
    throw error;
  }
}

function finish(state: PhaseState, status: 'completed' | 'failed'): void {
  state.status = status;
  state.seconds = Math.max(0, Date.now() - Date.parse(state.startedAt ?? now())) / 1000;
}

/** Writes the phases to the workflow's current details in Temporal UI: a list, since the columns of a table run together there. */
export function publishProgress(report: ImportReport): void {
  const rows = Object.entries(report.phases).map(([name, p]) => {
    const seconds = secondsOf(p);
    const rest = p.status === 'running' ? remainingSeconds(seconds, p.done, p.total) : undefined;
    const eta = rest === undefined ? '' : ` - about ${Math.ceil(rest)} s more`;
    return `- ${PHASE_MARKS[p.status].text} ${name} - ${p.done} of ${p.total} - ${seconds.toFixed(1)} s${eta}`;
  });
  const { fetched, inserted, updated, skipped, errored } = report.counts;
  const lines = [
    `**${report.status}**${report.runId ? ` · run \`${report.runId}\`` : ''}`,
    '',
    ...rows,
    '',
    `${fetched} fetched, ${inserted} inserted, ${updated} updated, ${skipped} skipped, ${errored} errored`,
  ];
  if (report.directory) lines.push('', directoryLine(report.directory));
  if (report.waiting)
    lines.push('', `**No worker takes tasks of \`${report.waiting.queue}\`**, asked since ${report.waiting.since}`);
  if (report.error) lines.push('', `**${report.error.code}** ${report.error.message}`);
  setCurrentDetails(lines.join('\n'));
}

/** `Dataset 32 · 515 files · 514 images · 0 failed items` */
function directoryLine({ datasetId, tag, plan, failed }: DirectoryReport): string {
  const dataset = datasetId === null ? `Dataset \`${tag}\`` : `Dataset ${datasetId}`;
  return `${dataset} · ${plan?.files ?? 0} files · ${plan?.images ?? 0} images · ${failed} failed items`;
}
