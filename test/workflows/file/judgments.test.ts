import { strict as assert } from 'node:assert';
import { importResult } from '../../../src/imports/follow.ts';
import { startImport } from '../../../src/imports/start.ts';
import { historiesOf, payloadsOf, type Place } from '../../support/imports.ts';
import { contentOfJudgments, forgetJudgments, tableSizes } from '../../support/judgmentsContent.ts';
import { simplicityCsv } from '../../support/judgmentsFile.ts';
import { withPlace } from '../../support/suite.ts';

const MANY_PARTS = { chunkBytes: 4096, partitionRows: 40 };
const NOTHING = { plaintiffs: 0, judgments: 0, contacts: 0, tasks: 0, history: 0, jobs: 0 };

for (const backend of ['postgres', 'supabase'] as const) {
  describe(`importFile of judgments on the ${backend} backend`, function () {
    this.timeout(60_000);
    let place: Place;
    withPlace(backend, (opened) => (place = opened));
    afterEach(() => forgetJudgments(place.sql));

    const stagedRows = async () => {
      const [n] =
        await place.sql`SELECT (SELECT count(*) FROM ingest_stage.chunks) + (SELECT count(*) FROM ingest_stage.judgments)
        + (SELECT count(*) FROM ingest_stage.judgments_plan) + (SELECT count(*) FROM ingest_stage.resolved) AS n`;
      return n!['n'] as number;
    };

    it('counts in a dry run what a commit then does, with all that follows, and leaves no row', async () => {
      const path = await place.file(simplicityCsv(240));
      const dry = await place.run(await place.input({ path, kind: 'simplicity', mode: 'dry-run' }, MANY_PARTS));
      assert.equal(dry.status, 'dry_run', JSON.stringify(dry.error));
      assert.deepEqual(await tableSizes(place.sql), NOTHING);
      assert.equal(await stagedRows(), 0);
      const commit = await place.run(await place.input({ path, kind: 'simplicity' }, MANY_PARTS));
      assert.equal(commit.status, 'completed', JSON.stringify(commit.error));
      assert.deepEqual([dry.counts, dry.codes, dry.effects], [commit.counts, commit.codes, commit.effects]);
      assert.deepEqual([dry.phases.resolve?.done, commit.phases.resolve?.done], [240, 240]);
      const {
        plaintiffs_created: plaintiffs,
        contact_inserts: contacts,
        follow_up_tasks: tasks,
        status_history: history,
        queued_jobs: jobs,
      } = commit.effects!;
      assert.deepEqual(await tableSizes(place.sql), {
        plaintiffs,
        judgments: commit.counts.inserted,
        contacts,
        tasks,
        history,
        jobs,
      });
      const [stored] = await place.sql`SELECT metadata -> 'summary' AS summary FROM ingest.import_runs`;
      assert.deepEqual([stored!['summary'].counts, stored!['summary'].effects], [commit.counts, commit.effects]);
      assert.equal(await stagedRows(), 0);
    });

    it('leaves the same content in many chunks and parts as in one', async () => {
      const path = await place.file(simplicityCsv(240));
      await place.run(await place.input({ path, kind: 'simplicity' }));
      const expected = await contentOfJudgments(place.sql);
      await forgetJudgments(place.sql);
      await place.run(await place.input({ path, kind: 'simplicity' }, MANY_PARTS));
      assert.deepEqual(await contentOfJudgments(place.sql), expected);
    });

    it('stops at --max-errors before production, and imports with a higher limit under the same run', async () => {
      const path = await place.file(simplicityCsv(240));
      const stopped = await place.run(
        await place.input({ path, kind: 'simplicity', options: { maxErrors: { rows: 2 } } }, MANY_PARTS),
      );
      assert.deepEqual([stopped.status, stopped.error?.code], ['failed', 'TOO_MANY_ERRORS']);
      assert.deepEqual(await tableSizes(place.sql), NOTHING);
      const done = await place.run(
        await place.input({ path, kind: 'simplicity', options: { maxErrors: { percent: 50 } } }, MANY_PARTS),
      );
      assert.deepEqual([done.status, done.runId], ['completed', stopped.runId]);
      const after = await contentOfJudgments(place.sql);
      await forgetJudgments(place.sql);
      await place.run(await place.input({ path, kind: 'simplicity' }, MANY_PARTS));
      assert.deepEqual(after, await contentOfJudgments(place.sql));
    });

    if (backend === 'postgres') {
      it('keeps every cell out of its history', async () => {
        const handle = await startImport(
          place.client,
          await place.input({ path: await place.file(simplicityCsv(90)), kind: 'simplicity' }, MANY_PARTS),
        );
        await importResult(handle);
        const text = (await historiesOf(place.client, handle)).flatMap(({ events }) => payloadsOf(events)).join('\n');
        assert.match(text, /partitionRows/);
        assert.doesNotMatch(text, /example\.com|Main St|Debtor|2125551/i);
      });
    }
  });
}
