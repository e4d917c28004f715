/** Names of the functions that schema `ingest` must have: those that Intake or a runbook calls, and the steps of every kind. */
import { FUNCTIONS, MODEL_STEPS } from '../database/functions.ts';
import { KINDS } from './index.ts';

/** Runbook 002's, for other importers than Intake. */
const RUNBOOK = ['claim_import_run', 'finalize_import_run'];

export function ingestFunctions(): string[] {
  const steps = KINDS.flatMap(({ table, resolves }) =>
    [...MODEL_STEPS, ...(resolves ? ['resolve'] : [])].map((step) => `${step}_${table}`),
  );
  return [...new Set([...Object.keys(FUNCTIONS), ...RUNBOOK, ...steps])];
}
