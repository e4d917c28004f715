/** Failed items of a dry run, written to a file on the host that holds the directory: the stage is gone afterwards. */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Backend } from '../../database/backend.ts';
import { IntakeError } from '../../errors.ts';
import { FAILED_ITEMS_HEADER, failedItemLine, type FailedRow } from '../../sources/tree/failedItems.ts';
import type { DirectoryInput } from '../../messages/directory.ts';
import type { Deps } from '../deps.ts';

const PAGE = 1000;

export const failedItemsActivity = ({ backend }: Deps) => ({
  async writeFailedItems({ input, stageId }: { input: DirectoryInput; stageId: string }): Promise<void> {
    const file = await open(input.rejectsPath as string, 'w', 0o600).catch((cause) => {
      throw new IntakeError('USAGE', 'The file for the rejects cannot be written', {
        cause,
        remedy: 'Give --rejects a path in a directory that exists.',
      });
    });
    await pipeline(Readable.from(lines(backend(input.backend), stageId)), file.createWriteStream());
  },
});

/** Those that a commit would find come last: they are looked for among all rows. */
async function* lines(target: Backend, stageId: string): AsyncGenerator<string> {
  yield FAILED_ITEMS_HEADER;
  for (const found of ['staged_failures', 'staged_conflicts'] as const)
    for await (const row of pagesOf(target, found, stageId)) yield failedItemLine(row, '');
}

async function* pagesOf(
  target: Backend,
  found: 'staged_failures' | 'staged_conflicts',
  stageId: string,
): AsyncGenerator<FailedRow> {
  for (let after = -1; ;) {
    const page = await target.call(found, { stage_id: stageId, after_row: after, max_rows: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = last.row_index;
  }
}
