/** What the operations on a run work with; the CLI's session is one. */
import type { Client } from '@temporalio/client';
import type { Backend } from '../database/backend.ts';
import type { BackendName } from '../config.ts';

export interface Connections {
  temporal(): Promise<Client>;
  /** The configured backend unless another one is named. */
  backend(name?: BackendName): Promise<Backend>;
  /** Whether a worker was started a moment ago; where nobody can say it, none was. */
  readonly workerComesUp?: () => boolean;
}
