/** workflows/: Deterministic code that Temporal replays. No Node, no input or output. */
export { importFile } from './file/importFile.ts';
export { importDirectory } from './directory/importDirectory.ts';
export { mergeProjects } from './merge/mergeProjects.ts';
export { pushProjects } from './push/pushProjects.ts';
export { scheduledPush } from './push/scheduledPush.ts';
export { scheduledImport } from './schedules/scheduledImport.ts';
export { retention } from './schedules/retention.ts';
export { alertAnomalies } from './schedules/alertAnomalies.ts';
export { sendNotice } from './schedules/sendNotice.ts';
