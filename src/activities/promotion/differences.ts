/** What rows of a dry run say otherwise, written to a file on the host that holds the source: the stage is gone afterwards. */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Context } from '@temporalio/activity';
import type { Backend } from '../../database/backend.ts';
import type { PlannedDifference } from '../../database/rows.ts';
import { IntakeError } from '../../errors.ts';
import type { StagedFile } from '../../messages/partitions.ts';
import { DIFFERENCES_HEADER, differenceLine } from '../../sources/csv/differences.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { updatesOf } from './partitions.ts';

export const differencesActivity = ({ backend }: Deps) => ({
  async writeDifferences(staged: StagedFile): Promise<void> {
    const file = await open(staged.input.differencesPath as string, 'w', 0o600).catch((cause) => {
      throw new IntakeError('USAGE', 'The file for the differences cannot be written', {
        cause,
        remedy: 'Give --differences a path in a directory that exists.',
      });
    });
    await pipeline(Readable.from(lines(backend(staged.input.backend), staged)), file.createWriteStream());
  },
});

/** A page is the part's whole decision anew, so it is large. */
const PAGE = 5000;

async function* lines(target: Backend, { input, stageId, partitions }: StagedFile): AsyncGenerator<string> {
  yield DIFFERENCES_HEADER;
  const { cancellationSignal } = Context.current();
  const asked = { kind: input.kind, source_system: input.sourceSystem, stage_id: stageId, ...updatesOf(input) };
  for (let part = 0; part < partitions; part++) {
    for (let after: number | undefined = -1; after !== undefined;) {
      cancellationSignal.throwIfAborted();
      heartbeat({ done: part, total: partitions });
      const page: readonly PlannedDifference[] = await target.call('plan_differences', {
        ...asked,
        part,
        after_row: after,
        max_rows: PAGE,
      });
      yield page.map(differenceLine).join('');
      after = page.at(-1)?.row_index;
    }
  }
}
