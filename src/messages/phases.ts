/** The phases of an import, once for all who show them: their order, words, signs, how far one is and how long it may still take. */
import type { ImportReport, PhaseName, PhaseState } from './imports.ts';
import type { ImportMode } from './run.ts';

interface Phase {
  readonly title: string;
  /** What it does, for people. */
  readonly does: string;
  /** Not every import has it. */
  readonly optional?: true;
}

export const PHASES: Readonly<Record<PhaseName, Phase>> = {
  plan: { title: 'Plan', does: 'encoding, delimiter, header' },
  hash: { title: 'Hash', does: 'content and record boundaries' },
  claim: { title: 'Claim', does: 'this batch is ours alone' },
  upload: { title: 'Upload', does: 'the source goes to storage' },
  parse: { title: 'Parse', does: 'rows are checked and staged' },
  resolve: { title: 'Resolve', does: 'rows are matched with what is there', optional: true },
  upsert: { title: 'Upsert', does: 'rows go to the production tables' },
  compare: { title: 'Compare', does: 'tables against the source', optional: true },
  finalize: { title: 'Finalize', does: 'counters and summary' },
  reconcile: { title: 'Reconcile', does: 'the final tables are counted' },
  planning: { title: 'Plan', does: 'files, licences and images' },
  sha256: { title: 'Hash', does: 'every image' },
  import: { title: 'Import', does: 'licences go to the tables' },
};

/** In the order in which the workflows go through them. Those of a directory are the ones that runbook 004 shows. */
export const PHASE_ORDER: Readonly<Record<'file' | 'directory', Record<ImportMode, readonly PhaseName[]>>> = {
  file: {
    commit: ['plan', 'hash', 'claim', 'upload', 'parse', 'resolve', 'upsert', 'finalize', 'reconcile'],
    'dry-run': ['plan', 'hash', 'parse', 'resolve', 'upsert'],
    verify: ['plan', 'hash', 'parse', 'compare'],
  },
  directory: {
    commit: ['planning', 'sha256', 'upload', 'import', 'compare'],
    'dry-run': ['planning', 'sha256', 'import'],
    verify: ['planning', 'sha256', 'compare'],
  },
};

/** `text` where a terminal's font is not known, `emoji` for the display of runbook 004. */
export const PHASE_MARKS = {
  pending: { text: '·', emoji: '⬜' },
  running: { text: '▶', emoji: '⏳' },
  completed: { text: '✓', emoji: '✅' },
  failed: { text: '✗', emoji: '❌' },
  skipped: { text: '–', emoji: '⏭️' },
} as const satisfies Record<PhaseState['status'], unknown>;

export const PENDING: Readonly<PhaseState> = { status: 'pending', done: 0, total: 0, failed: 0, skipped: 0 };

/** Of a file or a directory: the phases that every such import has, and those that this one has begun. */
export const phasesOf = (mode: ImportMode, directory: boolean, { phases }: Pick<ImportReport, 'phases'>): PhaseName[] =>
  PHASE_ORDER[directory ? 'directory' : 'file'][mode].filter((name) => phases[name] || !PHASES[name].optional);

/** From 0 to 1. */
export const shareOf = ({ status, done, total }: PhaseState): number =>
  status === 'completed' ? 1 : total > 0 ? Math.min(1, done / total) : 0;

/** How long a phase took, or is at work. */
export function secondsOf({ seconds, startedAt }: PhaseState): number {
  return seconds ?? (startedAt === undefined ? 0 : Math.max(0, Date.now() - Date.parse(startedAt)) / 1000);
}

/** How long the rest takes at the pace until now; undefined before anything is done. */
export const remainingSeconds = (elapsed: number, done: number, total: number): number | undefined =>
  done > 0 ? (elapsed / done) * Math.max(0, total - done) : undefined;
