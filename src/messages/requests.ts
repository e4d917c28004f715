/** What somebody asks for: on the command line, in a schedule, over the dashboard. */
import type { BackendName } from '../config.ts';
import type { DirectoryInput } from './directory.ts';
import type { ImportOptions } from './imports.ts';
import type { ImportMode } from './run.ts';

export interface ImportRequest {
  readonly kind: string;
  readonly path: string;
  readonly mode: ImportMode;
  readonly backend?: BackendName;
  readonly sourceSystem?: string;
  readonly batchId?: string;
  readonly batchName?: string;
  readonly sourceReference?: string;
  readonly options?: Partial<ImportOptions>;
  readonly rejectsPath?: string;
  readonly differencesPath?: string;
  readonly operationsPath?: string;
  readonly relatedRunId?: string;
  readonly directory?: DirectoryOptions;
}

/** Of a kind that is read from a directory. */
export type DirectoryOptions = Partial<
  Pick<
    DirectoryInput,
    | 'tag'
    | 'singleFile'
    | 'imagesDir'
    | 'delta'
    | 'verifyWrites'
    | 'batchSize'
    | 'maxWorkers'
    | 'maxConcurrentUploads'
    | 'nullWords'
    | 'decodeHtml'
  >
>;
