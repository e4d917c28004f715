/** Kind `search-results` (runbook 004): a directory of licence searches, one JSON file each, and their screenshots. */
import { SEARCH_COLUMNS } from '../sources/search/searchColumns.ts';
import { readSearchSchema } from '../sources/search/schemaFile.ts';
import type { DirectoryKind } from './kind.ts';

export const searchResults: DirectoryKind = {
  name: 'search-results',
  reads: 'directory',
  aliases: ['search_results', 'states'],
  title: 'Search results',
  defaultSource: 'search-results',
  table: 'search_results',
  stageColumns: SEARCH_COLUMNS,
  get schema() {
    return readSearchSchema();
  },
};
