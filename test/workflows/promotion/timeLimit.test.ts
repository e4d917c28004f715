/** A database that ends long statements: parts are done in slices, and nothing but the time they take is another. */
import { strict as assert } from 'node:assert';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';
import { importInput } from '../../../src/imports/request.ts';
import { KINDS } from '../../../src/kinds/index.ts';
import { remarkSentence } from '../../../src/messages/remarks.ts';
import type { ImportInput } from '../../../src/messages/imports.ts';
import type { ImportRequest } from '../../../src/messages/requests.ts';
import type { Place } from '../../support/imports.ts';
import { withPlace } from '../../support/suite.ts';

const SAMPLES = new URL('../../../samples/', import.meta.url);

/** Keys of a part in one statement that the database has time for; a slice has a part number below 0. */
const KEYS = 20;

/** Puts a function before a step's own that answers as a server does whose role has a short statement_timeout. */
async function limit(sql: postgres.Sql, step: 'upsert' | 'count' | 'stop' | 'compare', keys: number): Promise<void> {
  const [found] = await sql<{ args: string; names: string[]; types: string }[]>`
    SELECT pg_get_function_arguments(p.oid) AS args, p.proargnames AS names, pg_get_function_identity_arguments(p.oid) AS types
    FROM pg_proc p WHERE p.oid = (SELECT max(oid) FROM pg_proc WHERE pronamespace = 'ingest'::regnamespace
                                   AND proname IN (${`${step}_partition`}, ${`${step}_in_time`}) AND pronargs >= 6)`;
  const { args, names, types } = found!;
  await sql.unsafe(`
    ALTER FUNCTION ingest.${step}_partition(${types}) RENAME TO ${step}_in_time;
    CREATE FUNCTION ingest.${step}_partition(${args}) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF part >= 0 AND coalesce(keys, 1000) > ${keys} THEN
        RAISE 'canceling statement due to statement timeout' USING errcode = '57014';
      END IF;
      RETURN ingest.${step}_in_time(${names.map((_, i) => `$${i + 1}`).join(', ')});
    END $$;
    GRANT EXECUTE ON FUNCTION ingest.${step}_partition(${types}) TO service_role, dragonfly_app;`);
}

for (const backend of ['postgres', 'supabase'] as const)
  describe(`a database with a short time limit of statements, on the ${backend} backend`, function () {
    this.timeout(60_000);
    let place: Place;
    withPlace(backend, (opened) => (place = opened));
    before(async () => {
      for (const step of ['upsert', 'count', 'stop', 'compare'] as const) await limit(place.sql, step, KEYS);
      await place.sql`INSERT INTO ingest.tenants (tenant_id) VALUES ('TELCO') ON CONFLICT DO NOTHING`.catch(
        () => undefined,
      );
    });

    for (const kind of KINDS)
      it(`imports, counts and compares ${kind.name} in slices, and names the setting that would help`, async () => {
        const request: ImportRequest = {
          kind: kind.name,
          path: fileURLToPath(new URL(kind.sample, SAMPLES)),
          mode: 'dry-run',
          ...(kind.reads === 'directory' ? { directory: { tag: 'tag' } } : {}),
        };
        const run = async (more: Partial<ImportRequest>) =>
          place.run((await importInput(place.config, { ...request, ...more })) as ImportInput);
        const dry = await run({});
        assert.equal(dry.status, 'dry_run', JSON.stringify(dry.error));
        const done = await run({ mode: 'commit' });
        assert.equal(done.status, 'completed', JSON.stringify(done.error));
        assert.deepEqual([done.counts, done.effects], [dry.counts, dry.effects]);
        const remark = done.remarks?.['TIME_LIMIT'];
        assert.match(remarkSentence('TIME_LIMIT', remark!)!, /statement_timeout.*INTAKE_PARTITION_ROWS=\d+$/);
        const verified = await run({ mode: 'verify', relatedRunId: done.runId! });
        assert.equal(verified.status, 'verified', JSON.stringify(verified.error));
        assert.deepEqual(
          [verified.comparison?.rows, verified.comparison?.missing, verified.comparison?.different],
          [done.counts.fetched, 0, 0],
        );
      });
  });
