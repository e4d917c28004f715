/** Kind `search-results` (runbook 004): a directory of licence searches, one JSON file each, and their screenshots. */
import { SEARCH_COLUMNS } from '../sources/search/licences.ts';
import { readSearchSchema } from '../sources/search/schemaFile.ts';
import type { DirectoryKind } from './kind.ts';

export const searchResults: DirectoryKind = {
  name: 'search-results',
  reads: 'directory',
  aliases: ['search_results', 'states'],
  title: 'Search results',
  defaultSource: 'search-results',
  dataset: 'states',
  table: 'search_results',
  stageColumns: SEARCH_COLUMNS,
  get schema() {
    return readSearchSchema();
  },
  rowErrors: {
    CONFLICT_IN_RUN:
      'Another row of the same time and licence number says something else; correct the one that is wrong, or give it its own time.',
    DUPLICATE_SEARCH: 'A file before this one holds the same search (name, state, time); delete one of them.',
  },
  effects: {
    summary: [
      {
        label: 'Gone:     ',
        counters: {
          licenses_not_found:
            'licences of the dataset not found by the newest search of their name (ingest.v_licenses_not_found)',
        },
      },
    ],
    inDocument: true,
    removed: {},
    keptIds: { search_result_ids: 'search results' },
  },
  options: [
    'statesDir',
    'tag',
    'delta',
    'verifyWrites',
    'singleFile',
    'imagesDir',
    'batchSize',
    'maxWorkers',
    'maxConcurrentUploads',
  ],
  personalTables: [
    'public.datasets',
    'public.search_results',
    'public.images',
    'ingest.search_results_raw',
    'ingest.imported_files',
  ],
  sample: 'search-results',
  colour: { light: '#8fae5d', dark: '#a9c77b' },
  alsoWritten: ({ id, datasetId, effects }) =>
    datasetId === undefined
      ? []
      : [
          { table: 'public.datasets', where: ['id', String(datasetId)], expected: 1 },
          { table: 'public.images', where: ['import_run_id', id], expected: effects['images'] ?? 0 },
        ],
};
