/** Progress where no terminal is: a line when a phase ends. */
import type { PhaseName, PhaseState } from '../workflows/messages.ts';
import { thousands } from './importSummary.ts';
import type { Output } from './output.ts';
import type { View } from './view.ts';

export function createPhaseLines(out: Output): View {
  const told = new Set<string>();
  return {
    show({ phases, counts }) {
      for (const [name, state] of Object.entries(phases)) {
        if (told.has(name) || (state.status !== 'completed' && state.status !== 'failed')) continue;
        told.add(name);
        out.note(`${phaseLine(name as PhaseName, state)}${name === 'parse' ? `, ${thousands(counts.fetched)} rows` : ''}`);
      }
    },
    close: () => undefined,
  };
}

/** `PARSE: completed (3.2s), 20/20` */
export function phaseLine(name: PhaseName, { status, seconds, done, total }: PhaseState): string {
  const units = total > 1 ? `, ${done}/${total}` : '';
  return `${name.toUpperCase()}: ${status} (${(seconds ?? 0).toFixed(1)}s)${units}`;
}
