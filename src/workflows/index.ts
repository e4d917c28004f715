export { importFile } from './importFile.ts';
export { importDirectory } from './importDirectory.ts';
