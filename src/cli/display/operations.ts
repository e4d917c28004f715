/** What an import did, or would do, to each row: read from the database, or from the file that a dry run left. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../database/backend.ts';
import type { Operation } from '../../database/rows.ts';
import { IntakeError } from '../../errors.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import { kindNamed } from '../../kinds/index.ts';

const PAGE = 1000;
/** A page is asked for again so often, with growing pauses: a document that has begun cannot be taken back. */
const ATTEMPTS = 8;

/** Begins anew with each call, so that every list of a document is read for itself and none is kept. */
export type Operations = () => AsyncIterable<Operation>;

/** Tells a dry run whose document is `wanted` where to leave its operations; whoever asks removes the file. */
export function withOperations(request: ImportRequest, wanted: boolean): ImportRequest {
  if (!wanted || request.mode !== 'dry-run' || !kindNamed(request.kind).operations) return request;
  return { ...request, operationsPath: join(tmpdir(), `intake-operations-${randomUUID()}.ndjson`) };
}

/** Of a run, in the order of its file, a page at a time. */
export function runOperations(backend: Backend, runId: string): Operations {
  return async function* () {
    for (let after = -1; ;) {
      const page = await persistently(() =>
        backend.call('read_operations', { run_id: runId, after_row: after, max_rows: PAGE }),
      );
      yield* page;
      if (page.length < PAGE) return;
      after = (page.at(-1) as Operation).row_index;
    }
  };
}

/** Of a dry run, from the file that activity `writeOperations` left. */
export function fileOperations(path: string): Operations {
  return async function* () {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity }))
      yield JSON.parse(line) as Operation;
  };
}

/** What a command asks of the database beside its import waits for a database that restarts, as the import does. */
export async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof IntakeError && error.retryable)) throw error;
      await sleep(2 ** attempt * 250);
    }
  }
}
