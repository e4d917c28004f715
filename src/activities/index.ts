/**
 * activities/: The steps of workflows, one a file, under the same names. They start no workflow.
 *
 * The activities of a worker as Temporal runs them: each in its guard.
 */
import { allActivities } from './all.ts';
import type { Deps } from './deps.ts';
import { guarded } from './guard.ts';
import { inPlace } from './inPlace.ts';
import { onOrder } from './ordered.ts';

export const createActivities = (deps: Deps) =>
  guarded(inPlace(onOrder(allActivities(deps), deps), deps), deps.log, deps.metrics);

export type { Activities } from './all.ts';
