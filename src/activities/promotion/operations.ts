/** Row operations of a dry run, left on the host that holds the source for the command that asked: the stage is gone afterwards. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import type { Backend } from '../../database/backend.ts';
import { IntakeError } from '../../errors.ts';
import type { ImportInput } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';

/** Rows a call: some hundred kilobytes of JSON. */
const PAGE = 1000;

export const operationsActivity = ({ backend }: Deps) => ({
  /**
   * Writes what a commit would do to each staged row to `input.operationsPath`, one JSON object a line; the file is there whole
   * or not at all.
   * @param rows of the file, for the progress.
   * @returns how many rows were written.
   */
  async writeOperations({
    input,
    stageId,
    rows,
  }: {
    input: ImportInput;
    stageId: string;
    rows: number;
  }): Promise<number> {
    const path = input.operationsPath as string;
    const draft = `${path}.${randomUUID()}.tmp`;
    const file = await open(draft, 'wx', 0o600).catch((cause) => {
      throw new IntakeError('USAGE', 'The file for the row operations cannot be written', {
        cause,
        remedy: 'Let the worker write to the directory for temporary files, or leave --json away.',
      });
    });
    try {
      const written = await writePages(file, backend(input.backend), stageId, rows);
      await rename(draft, path);
      return written;
    } finally {
      await file.close();
      await rm(draft, { force: true });
    }
  },
});

async function writePages(file: FileHandle, backend: Backend, stageId: string, rows: number): Promise<number> {
  const { cancellationSignal } = Context.current();
  let written = 0;
  for (let after = -1; ;) {
    cancellationSignal.throwIfAborted();
    const page = await backend.call('plan_operations', {
      stage_id: stageId,
      after_row: after,
      max_rows: PAGE,
    });
    await file.write(page.map((row) => `${JSON.stringify(row)}\n`).join(''));
    written += page.length;
    heartbeat({ done: written, total: rows });
    if (page.length < PAGE) return written;
    after = (page.at(-1) as { row_index: number }).row_index;
  }
}
