/** The activities of a worker: one step a file, closed over their dependencies. */
import { anomaliesActivities } from './anomalies.ts';
import { claimActivities } from './claim.ts';
import type { Deps } from './deps.ts';
import { directoryActivities } from './directory/index.ts';
import { finishActivities } from './finish.ts';
import { guarded } from './guard.ts';
import { hashActivity } from './hash.ts';
import { mergeProjectsActivities } from './mergeProjects.ts';
import { operationsActivity } from './operations.ts';
import { parseActivity } from './parse.ts';
import { partitionActivities } from './partitions.ts';
import { planActivity } from './plan.ts';
import { prepareImportActivity } from './prepareImport.ts';
import { findPushFilesActivities } from './push/findPushFiles.ts';
import { postBatchActivity } from './push/postBatch.ts';
import { rememberPushActivity } from './push/rememberPush.ts';
import { splitPushActivities } from './push/splitPush.ts';
import { rejectsActivity } from './rejects.ts';
import { resolveActivity } from './resolve.ts';
import { retentionActivity } from './retention.ts';
import { uploadActivity } from './upload.ts';

export function createActivities(deps: Deps) {
  return guarded(
    {
      ...planActivity(deps),
      ...hashActivity(deps),
      ...claimActivities(deps),
      ...uploadActivity(deps),
      ...parseActivity(deps),
      ...resolveActivity(deps),
      ...partitionActivities(deps),
      ...finishActivities(deps),
      ...rejectsActivity(deps),
      ...operationsActivity(deps),
      ...directoryActivities(deps),
      ...mergeProjectsActivities(deps),
      ...splitPushActivities(deps),
      ...postBatchActivity(deps),
      ...rememberPushActivity(deps),
      ...findPushFilesActivities(deps),
      ...prepareImportActivity(deps),
      ...anomaliesActivities(deps),
      ...retentionActivity(deps),
    },
    deps.log,
    deps.metrics,
  );
}

export type Activities = ReturnType<typeof createActivities>;
