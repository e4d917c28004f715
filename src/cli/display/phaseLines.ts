/** Progress where no terminal is: a line when a phase ends. */
import type { PhaseName, PhaseState } from '../../messages/imports.ts';
import type { ActivityProgress } from './activityProgress.ts';
import { thousands } from './importSummary.ts';
import type { Output } from '../output.ts';
import type { View } from './view.ts';

export function createPhaseLines(out: Output): View {
  const told = new Set<string>();
  return {
    show({ phases, counts, directory }, activity) {
      sayWaiting(activity);
      for (const [name, state] of Object.entries(phases)) {
        if (told.has(name) || (state.status !== 'completed' && state.status !== 'failed')) continue;
        told.add(name);
        const rows = name === 'parse' ? `, ${thousands(counts.fetched)} rows` : '';
        out.note(`${phaseLine(name as PhaseName, state)}${rows}${directory ? leftOut(state) : ''}`);
      }
    },
    close: () => undefined,
  };

  /** Once for each reason. */
  function sayWaiting(activity: ActivityProgress | undefined): void {
    const waiting = activity?.waiting && `${activity.waiting.code}: ${activity.waiting.message}; it is tried again`;
    if (!waiting || told.has(waiting)) return;
    told.add(waiting);
    out.note(waiting);
  }
}

/** Of what was there already, and what failed. */
function leftOut({ skipped, failed }: PhaseState): string {
  return `${skipped > 0 ? `, ${thousands(skipped)} skipped` : ''}${failed > 0 ? `, ${thousands(failed)} failed` : ''}`;
}

/** `PARSE: completed (3.2s), 20/20` */
export function phaseLine(name: PhaseName, { status, seconds, done, total }: PhaseState): string {
  const units = total > 1 ? `, ${done}/${total}` : '';
  return `${name.toUpperCase()}: ${status} (${(seconds ?? 0).toFixed(1)}s)${units}`;
}
