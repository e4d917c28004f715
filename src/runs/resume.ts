/** Going on with a failed, cancelled or silent run where it stopped. */
import { IntakeError } from '../errors.ts';
import type { AnyInput } from '../messages/imports.ts';
import type { Run } from '../database/rows.ts';
import { inputOf } from './findRun.ts';

/** What to start again. @throws IntakeError USAGE for a run that has nothing left to do, or that Intake did not start. */
export function resumedInput(run: Run): AnyInput {
  if (run.status === 'completed' || run.status === 'duplicate' || run.status === 'rolled_back') {
    throw new IntakeError('USAGE', `Run ${run.id} is ${run.status}`, {
      remedy: run.status === 'rolled_back' ? 'Import its file again with `intake import`.' : 'Nothing to resume.',
    });
  }
  return inputOf(run);
}
