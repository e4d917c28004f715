/** Failed items of a dry run, written to a file on the host that holds the directory: the stage is gone afterwards. */
import { open } from 'node:fs/promises';
import { csvCell } from '../../csv/write.ts';
import { IntakeError } from '../../errors.ts';
import type { DirectoryInput } from '../../workflows/directoryMessages.ts';
import type { Deps } from '../deps.ts';

interface StagedItem {
  readonly row_index: number;
  readonly item: string;
  readonly kind: string;
  readonly code: string;
  readonly message: string;
}

const PAGE = 1000;

export const FAILED_ITEMS_HEADER = 'item,kind,line,_code,_error\n';

export const failedItemsActivity = ({ backend }: Deps) => ({
  /** As CSV: item, kind, line, code, message. @returns how many. */
  async writeFailedItems({ input, stageId }: { input: DirectoryInput; stageId: string }): Promise<number> {
    const file = await open(input.rejectsPath as string, 'w').catch((cause) => {
      throw new IntakeError('USAGE', 'The file for the rejects cannot be written', { cause, remedy: 'Give --rejects a path in a directory that exists.' });
    });
    let written = 0;
    try {
      await file.write(FAILED_ITEMS_HEADER);
      for (let after = -1; ; ) {
        const page = await backend(input.backend).call<(StagedItem & { line: number })[]>('staged_failures', { stage_id: stageId, after_row: after, max_rows: PAGE });
        await file.write(page.map(({ item, kind, line, code, message }) => `${[item, kind, String(line), code, message].map(csvCell).join(',')}\n`).join(''));
        written += page.length;
        const last = page.at(-1);
        if (!last) return written;
        after = last.row_index;
      }
    } finally {
      await file.close();
    }
  },
});
