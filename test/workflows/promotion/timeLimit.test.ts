/** A database that ends long statements: parts are done in slices, and nothing but the time they take is another. */
import { strict as assert } from 'node:assert';
import { fileURLToPath } from 'node:url';
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type postgres from 'postgres';
import { guarded } from '../../../src/activities/guard.ts';
import { IntakeError } from '../../../src/errors.ts';
import { importInput } from '../../../src/imports/request.ts';
import { KINDS } from '../../../src/kinds/index.ts';
import type { Run } from '../../../src/database/rows.ts';
import { openBackends, type Backends } from '../../../src/database/backends/open.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { noMetrics } from '../../../src/observability/metrics.ts';
import type { Connections } from '../../../src/runs/connections.ts';
import { previewRollback, rollBackRun } from '../../../src/runs/rollback.ts';
import { remarkSentence } from '../../../src/messages/remarks.ts';
import type { ImportInput } from '../../../src/messages/imports.ts';
import type { ImportRequest } from '../../../src/messages/requests.ts';
import type { Place } from '../../support/imports.ts';
import { withPlace } from '../../support/suite.ts';

const SAMPLES = new URL('../../../samples/', import.meta.url);

/** Keys of a part in one statement that the database has time for; a slice has a part number below 0. */
const KEYS = 20;

/** Functions, and when their statement takes too long. */
const TOO_MUCH = {
  ...Object.fromEntries(
    ['upsert', 'count', 'stop', 'compare'].map((step) => [
      `${step}_partition`,
      `part >= 0 AND coalesce(keys, 1000) > ${KEYS}`,
    ]),
  ),
  begin_piece: `rows > ${KEYS}`,
  clear_stage: `max_rows > ${KEYS}`,
  preview_rollback: `max_rows > ${KEYS}`,
  rollback_rows: `max_rows > ${KEYS}`,
};

/** Puts a function before one of `ingest` that answers as a server does whose role has a short statement_timeout. */
async function limit(sql: postgres.Sql, name: string, tooMuch: string): Promise<void> {
  const [found] = await sql<{ args: string; names: string[]; types: string; result: string }[]>`
    SELECT pg_get_function_arguments(p.oid) AS args, p.proargnames AS names, pg_get_function_identity_arguments(p.oid) AS types,
           pg_get_function_result(p.oid) AS result
    FROM pg_proc p WHERE p.oid = (SELECT max(oid) FROM pg_proc WHERE pronamespace = 'ingest'::regnamespace
                                   AND proname IN (${name}, ${`${name}_in_time`}))`;
  const { args, names, types, result } = found!;
  await sql.unsafe(`
    ALTER FUNCTION ingest.${name}(${types}) RENAME TO ${name}_in_time;
    CREATE FUNCTION ingest.${name}(${args}) RETURNS ${result} LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF ${tooMuch} THEN
        RAISE 'canceling statement due to statement timeout' USING errcode = '57014';
      END IF;
      RETURN ingest.${name}_in_time(${names.map((_, i) => `$${i + 1}`).join(', ')});
    END $$;
    GRANT EXECUTE ON FUNCTION ingest.${name}(${types}) TO service_role, dragonfly_app;`);
}

for (const backend of ['postgres', 'supabase'] as const)
  describe(`a database with a short time limit of statements, on the ${backend} backend`, function () {
    this.timeout(60_000);
    let place: Place;
    withPlace(backend, (opened) => (place = opened));
    let backends: Backends;
    after(() => backends?.close());
    before(async () => {
      backends = await openBackends(place.config);
      for (const [name, tooMuch] of Object.entries(TOO_MUCH)) await limit(place.sql, name, tooMuch);
      await place.sql`INSERT INTO ingest.tenants (tenant_id) VALUES ('TELCO') ON CONFLICT DO NOTHING`.catch(
        () => undefined,
      );
    });

    for (const kind of KINDS)
      it(`stages, imports, counts, compares and rolls back ${kind.name} in slices, and names the settings that would help`, async () => {
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
        const staged = done.remarks?.['STAGING_TIME_LIMIT'];
        if (done.counts.fetched > KEYS && kind.reads !== 'directory')
          assert.match(remarkSentence('STAGING_TIME_LIMIT', staged!)!, /statement_timeout.*INTAKE_CHUNK_BYTES/);
        const verified = await run({ mode: 'verify', relatedRunId: done.runId! });
        assert.equal(verified.status, 'verified', JSON.stringify(verified.error));
        assert.deepEqual(
          [verified.comparison?.rows, verified.comparison?.missing, verified.comparison?.different],
          [done.counts.fetched, 0, 0],
        );
        const connections = { backend: async () => backends.get(backend) } as unknown as Connections;
        const record = { id: done.runId, status: 'completed' } as Run;
        const preview = await previewRollback(connections, record);
        const rolledBack = await rollBackRun(connections, record, 'test');
        assert.equal(rolledBack.rows_affected, preview.rows_affected);
        assert.equal((await place.sql`SELECT FROM ingest_stage.chunks`).length, 0);
      });
  });

describe('a step that the time limit of the database ends however small it is', () => {
  it('is tried eight times, then ends with what helps', async () => {
    const cause = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
    const step = async (): Promise<void> => {
      throw new IntakeError('DATABASE_BUSY', 'The statement was cancelled or timed out (57014)', { cause });
    };
    const { resolve } = guarded({ resolve: step }, createLogger('silent'), noMetrics);
    const ends: string[] = [];
    let heartbeatDetails: unknown;
    for (let attempt = 1; attempt <= 8; attempt++) {
      const environment = new MockActivityEnvironment({ attempt, heartbeatDetails });
      environment.on('heartbeat', (details: unknown) => (heartbeatDetails = details));
      const failure = await environment.run(resolve).then(
        () => assert.fail(),
        (error: unknown) => error as ApplicationFailure,
      );
      ends.push(`${failure.type} ${failure.nonRetryable}`);
    }
    assert.deepEqual(ends, [...Array<string>(7).fill('DATABASE_BUSY false'), 'DATABASE_TIME_LIMIT true']);
  });
});
