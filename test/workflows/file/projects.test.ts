import { strict as assert } from 'node:assert';
import { importResult } from '../../../src/imports/follow.ts';
import { startImport } from '../../../src/imports/start.ts';
import { historiesOf, payloadsOf, type Place } from '../../support/imports.ts';
import { addDirectories, forgetProjects, merge } from '../../support/projectsBatch.ts';
import { contentOfProjects, contentOfRuns, forgetRuns } from '../../support/projectsImport.ts';
import { projectsCsv } from '../../support/projectsFile.ts';
import { withPlace } from '../../support/suite.ts';

const MANY_PARTS = { chunkBytes: 2048, partitionRows: 40 };

for (const backend of ['postgres', 'supabase'] as const) {
  describe(`importFile of projects on the ${backend} backend`, function () {
    this.timeout(60_000);
    let place: Place;
    withPlace(backend, (opened) => (place = opened));
    beforeEach(async () => {
      await forgetRuns(place.sql);
      await forgetProjects(place.sql);
      await addDirectories(place.sql);
    });

    const request = { kind: 'projects', sourceSystem: 'TELCO' };

    it('counts in a dry run what a commit then does, with members and anomalies, and leaves no row', async () => {
      const path = await place.file(projectsCsv(240));
      await merge(place.sql, [
        { stage_application: 'STG-3', delivery_partner: 'Acme' },
        { stage_application: 'STG-4' },
      ]);
      const before = await contentOfRuns(place.sql);
      const dry = await place.run(await place.input({ ...request, path, mode: 'dry-run' }, MANY_PARTS));
      assert.equal(dry.status, 'dry_run', JSON.stringify(dry.error));
      assert.deepEqual(await contentOfRuns(place.sql), before);
      const [staged] =
        await place.sql`SELECT (SELECT count(*) FROM ingest_stage.chunks) + (SELECT count(*) FROM ingest_stage.projects) AS n`;
      assert.equal(staged!['n'], 0);
      const commit = await place.run(await place.input({ ...request, path }, MANY_PARTS));
      assert.equal(commit.status, 'completed', JSON.stringify(commit.error));
      assert.deepEqual([dry.counts, dry.codes, dry.effects], [commit.counts, commit.codes, commit.effects]);
      const { fetched, inserted, updated, skipped, errored } = commit.counts;
      assert.deepEqual(
        [fetched, inserted + updated + skipped + errored, updated, commit.codes],
        [240, 240, 2, { BAD_COUNT: errored }],
      );
      const [found] =
        await place.sql`SELECT (SELECT count(*) FROM public.projects) AS projects, (SELECT count(*) FROM public.import_anomalies WHERE correlation_id = ${commit.runId}) AS anomalies`;
      assert.deepEqual({ ...found }, { projects: inserted + updated, anomalies: commit.effects!['anomalies'] });
      const [stored] =
        await place.sql`SELECT metadata -> 'summary' AS summary FROM ingest.import_runs WHERE id = ${commit.runId}`;
      assert.deepEqual([stored!['summary'].counts, stored!['summary'].effects], [commit.counts, commit.effects]);
    });

    it('leaves the same content in many chunks and parts as in one, verifies it, and takes it back', async () => {
      const path = await place.file(projectsCsv(240));
      const first = await place.run(await place.input({ ...request, path }));
      const expected = await contentOfRuns(place.sql);
      await forgetRuns(place.sql);
      const second = await place.run(await place.input({ ...request, path }, MANY_PARTS));
      assert.deepEqual(await contentOfRuns(place.sql), expected);
      assert.deepEqual(second.effects, first.effects);
      const verified = await place.run(
        await place.input({ ...request, path, mode: 'verify', relatedRunId: second.runId! }, MANY_PARTS),
      );
      assert.deepEqual(
        [verified.status, verified.comparison],
        ['verified', { rows: 240, missing: 0, different: 0, edited: 0, lines: [] }],
        JSON.stringify(verified.error),
      );
      await place.sql`SELECT ingest.rollback_import_run(${second.runId}, 'test')`;
      assert.deepEqual(await contentOfProjects(place.sql), { projects: [], anomalies: [] });
    });

    it('stops at --max-errors before production, and imports with a higher limit under the same run', async () => {
      const path = await place.file(projectsCsv(120));
      const stopped = await place.run(
        await place.input({ ...request, path, options: { maxErrors: { rows: 2 } } }, MANY_PARTS),
      );
      assert.deepEqual([stopped.status, stopped.error?.code], ['failed', 'TOO_MANY_ERRORS']);
      assert.deepEqual(await contentOfProjects(place.sql), { projects: [], anomalies: [] });
      const done = await place.run(
        await place.input({ ...request, path, options: { maxErrors: { percent: 50 } } }, MANY_PARTS),
      );
      assert.deepEqual([done.status, done.runId], ['completed', stopped.runId]);
      assert.equal((await place.sql`SELECT count(*) AS n FROM ingest.projects_raw`)[0]!['n'], 120);
    });

    if (backend === 'postgres') {
      it('keeps every cell out of its history, and names the tenant to Temporal', async () => {
        const handle = await startImport(
          place.client,
          await place.input({ ...request, path: await place.file(projectsCsv(90)) }, MANY_PARTS),
        );
        await importResult(handle);
        const text = (await historiesOf(place.client, handle)).flatMap(({ events }) => payloadsOf(events)).join('\n');
        assert.match(text, /partitionRows/);
        assert.doesNotMatch(text, /STG-|Main St|Partner \d|First Last|DS_ZZ/);
        assert.deepEqual((await handle.describe()).searchAttributes['IntakeTenant'], ['TELCO']);
      });
    }
  });
}
