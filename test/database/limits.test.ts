import { strict as assert } from 'node:assert';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import type { Backend } from '../../src/database/backend.ts';
import { postgresBackend } from '../../src/database/backends/postgres.ts';
import { FUNCTIONS } from '../../src/database/functions.ts';
import { interruptible } from '../../src/database/interruption.ts';
import type { IntakeError } from '../../src/errors.ts';
import { limitsOf } from '../../src/messages/policies.ts';
import { withDatabase } from '../support/suite.ts';

const MILLISECONDS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 } as const;
const duration = (text: string): number => {
  const [, n, unit] = /^(\d+)\s*(ms|s|min|h)?$/.exec(text)!;
  return Number(n) * MILLISECONDS[(unit ?? 'ms') as keyof typeof MILLISECONDS];
};

describe('limits of statements', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let backend: Backend;
  withDatabase((connection, { databaseUrl }) => {
    sql = connection;
    backend = postgresBackend({ databaseUrl, objectsDir: tmpdir(), permits: 1 });
  });
  after(() => backend.close());

  it('are set by the caller, for each function its own', async () => {
    for (const name of ['probe_limits', 'stop_partition'])
      await sql.unsafe(`CREATE FUNCTION ingest.${name}(probe text) RETURNS text[] LANGUAGE sql
        AS $$ SELECT ARRAY[current_setting('statement_timeout'), current_setting('lock_timeout')] $$`);
    for (const name of ['probe_limits', 'stop_partition', 'stop_partition', 'probe_limits']) {
      const [statement, lock] = (await backend.call(name as 'report', { probe: 'x' } as never)) as unknown as string[];
      assert.deepEqual({ statement: duration(statement!), lock: duration(lock!) }, limitsOf(name), name);
    }
  });

  it('end with the wait for their answer: an activity that is cancelled leaves nothing at work, and may ask again to clean up', async () => {
    await sql.unsafe(`CREATE FUNCTION ingest.probe_sleep(seconds integer) RETURNS integer LANGUAGE sql
      AS $$ SELECT seconds FROM pg_sleep(seconds) $$`);
    const sleepFor = (seconds: number) => backend.call('probe_sleep' as 'report', { seconds } as never);
    const asleep = async () =>
      (await sql`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`).length;
    const cancelled = new AbortController();
    await interruptible(cancelled.signal, async () => {
      const slept = sleepFor(600).then(
        () => assert.fail(),
        (error: IntakeError) => error.code,
      );
      while ((await asleep()) === 0) await sleep(20);
      cancelled.abort();
      assert.equal(await slept, 'DATABASE_BUSY');
      assert.equal(await asleep(), 0);
      assert.equal(await sleepFor(0), 0);
    });
  });

  it('a function that limits itself for the API is not above what its callers set', async () => {
    const found = await sql<{ name: string; statement: string }[]>`
      SELECT proname AS name, substr(setting, length('statement_timeout=') + 1) AS statement
      FROM pg_proc p, unnest(proconfig) setting WHERE pronamespace = 'ingest'::regnamespace AND setting LIKE 'statement_timeout=%'`;
    assert.ok(found.length > 10);
    for (const { name, statement } of found.filter((fn) => fn.name in FUNCTIONS))
      assert.ok(duration(statement) <= limitsOf(name).statement, name);
  });
});
