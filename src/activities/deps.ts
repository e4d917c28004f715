/** What activities need from outside; made by the composition root. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Backend } from '../database/backend.ts';
import type { BackendName, Config } from '../config.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Parser } from '../staging/parser.ts';

/** Where bodies of pushes and downloads wait. */
export const pushFolder = (workDir: string): string => join(workDir, 'push');

export interface Deps {
  readonly config: Config;
  /** Directory for the manifests of files being read, absolute. */
  readonly workDir: string;
  /** Directory for what is known of files from earlier runs, absolute. */
  readonly cacheDir: string;
  /** JSON files of a slice: the unit of an activity of a directory. */
  readonly sliceFiles: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly parser: Parser;
  /** Whether the namespace has the search attributes of Intake; true where that cannot be asked. */
  hasAttributes(): Promise<boolean>;
  /** @throws IntakeError CONFIG_INVALID when this worker has no such backend. */
  backend(name: BackendName): Backend;
  /** Which database that is; asked once by each worker. */
  ownDatabase(name: BackendName): Promise<string | undefined>;
}
