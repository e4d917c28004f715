export { importFile } from './importFile.ts';
export { importDirectory } from './importDirectory.ts';
export { mergeProjects } from './mergeProjects.ts';
export { pushProjects } from './pushProjects.ts';
export { scheduledPush } from './scheduledPush.ts';
export { scheduledImport } from './scheduledImport.ts';
export { retention } from './retention.ts';
export { alertAnomalies } from './alertAnomalies.ts';
