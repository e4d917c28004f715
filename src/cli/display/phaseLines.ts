/** Progress where no terminal is: a line when a phase ends. */
import type { PhaseName, PhaseState } from '../../messages/imports.ts';
import { thousands } from './importSummary.ts';
import type { Output } from '../output.ts';
import type { View } from './view.ts';

export function createPhaseLines(out: Output): View {
  const told = new Set<string>();
  return {
    show({ phases, counts, directory, waiting }, activity) {
      if (waiting) sayOnce(`No worker takes tasks of ${waiting.queue}: start one on that host`);
      const retried = activity?.waiting;
      if (retried) sayOnce(`${retried.code}: ${retried.message}; it is tried again`);
      for (const [name, state] of Object.entries(phases)) {
        if (told.has(name) || (state.status !== 'completed' && state.status !== 'failed')) continue;
        told.add(name);
        const rows = name === 'parse' ? `, ${thousands(counts.fetched)} rows` : '';
        out.note(`${phaseLine(name as PhaseName, state)}${rows}${directory ? leftOut(state) : ''}`);
      }
    },
    close: () => undefined,
  };

  function sayOnce(line: string): void {
    if (told.has(line)) return;
    told.add(line);
    out.note(line);
  }
}

/** Of what was there already, and what failed. */
function leftOut({ skipped, failed }: PhaseState): string {
  return `${skipped > 0 ? `, ${thousands(skipped)} skipped` : ''}${failed > 0 ? `, ${thousands(failed)} failed` : ''}`;
}

/** `PARSE: completed (3.2s), 20/20` */
function phaseLine(name: PhaseName, { status, seconds, done, total }: PhaseState): string {
  const units = total > 1 ? `, ${done}/${total}` : '';
  return `${name.toUpperCase()}: ${status} (${(seconds ?? 0).toFixed(1)}s)${units}`;
}
