/**
 * activities/directory/: A directory: planned, hashed, stored, staged and verified in slices.
 *
 * The activities of a directory: one phase a file.
 */
import type { Deps } from '../deps.ts';
import { failedItemsActivity } from './failedItems.ts';
import { hashSliceActivity } from './hashSlice.ts';
import { planTreeActivity } from './planTree.ts';
import { stageSliceActivity } from './stageSlice.ts';
import { uploadSliceActivity } from './uploadSlice.ts';
import { verifySliceActivity } from './verifySlice.ts';

export const directoryActivities = (deps: Deps) => ({
  ...planTreeActivity(deps),
  ...hashSliceActivity(deps),
  ...uploadSliceActivity(deps),
  ...stageSliceActivity(deps),
  ...verifySliceActivity(deps),
  ...failedItemsActivity(deps),
});
