export { importFile } from './importFile.ts';
export { importDirectory } from './importDirectory.ts';
export { mergeProjects } from './mergeProjects.ts';
