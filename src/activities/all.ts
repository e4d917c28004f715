/** The activities of a worker: one step a file, closed over their dependencies. */
import { anomaliesActivities } from './schedules/assessAnomalies.ts';
import { attributesActivity } from './promotion/attributes.ts';
import { claimActivities } from './promotion/claim.ts';
import type { Deps } from './deps.ts';
import { directoryActivities } from './directory/index.ts';
import { finishActivities } from './promotion/finish.ts';
import { differencesActivity } from './promotion/differences.ts';
import { hashActivity } from './file/hash.ts';
import { mergeProjectsActivities } from './merge/mergeProjects.ts';
import { operationsActivity } from './promotion/operations.ts';
import { noticeActivity } from './schedules/sendNotice.ts';
import { parseActivity } from './file/parse.ts';
import { partitionActivities } from './promotion/partitions.ts';
import { planActivity } from './file/plan.ts';
import { prepareImportActivity } from './schedules/prepareImport.ts';
import { findPushFilesActivities } from './push/findPushFiles.ts';
import { postBatchActivity } from './push/postBatch.ts';
import { rememberPushActivity } from './push/findPushFiles.ts';
import { splitPushActivities } from './push/splitPush.ts';
import { rejectsActivity } from './file/rejects.ts';
import { resolveActivity } from './promotion/resolve.ts';
import { retentionActivity } from './schedules/retention.ts';
import { uploadActivity } from './file/upload.ts';

export const allActivities = (deps: Deps) => ({
  ...attributesActivity(deps),
  ...planActivity(deps),
  ...hashActivity(deps),
  ...claimActivities(deps),
  ...uploadActivity(deps),
  ...parseActivity(deps),
  ...resolveActivity(deps),
  ...partitionActivities(deps),
  ...finishActivities(deps),
  ...rejectsActivity(deps),
  ...differencesActivity(deps),
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
  ...noticeActivity(deps),
});

export type Activities = ReturnType<typeof allActivities>;
