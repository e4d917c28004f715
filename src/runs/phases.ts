/** The phases that an import goes through, in their order. */
import type { AnyInput, ImportReport, PhaseName } from '../messages/imports.ts';

const PHASES: Record<AnyInput['mode'], readonly PhaseName[]> = {
  commit: ['plan', 'hash', 'claim', 'upload', 'parse', 'resolve', 'upsert', 'finalize', 'reconcile'],
  'dry-run': ['plan', 'hash', 'parse', 'resolve', 'upsert'],
  verify: ['plan', 'hash', 'parse', 'compare'],
};
const DIRECTORY_PHASES: Record<AnyInput['mode'], readonly PhaseName[]> = {
  commit: ['planning', 'sha256', 'upload', 'import', 'compare'],
  'dry-run': ['planning', 'sha256', 'import'],
  verify: ['planning', 'sha256', 'compare'],
};
/** Not every import has them. */
const SOMETIMES: ReadonlySet<PhaseName> = new Set(['resolve', 'compare']);

/** Of a file or a directory: those that every such import has, and what this one has begun. */
export const phasesOf = (
  mode: AnyInput['mode'],
  directory: boolean,
  { phases }: Pick<ImportReport, 'phases'>,
): PhaseName[] => (directory ? DIRECTORY_PHASES : PHASES)[mode].filter((name) => phases[name] || !SOMETIMES.has(name));
