import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { Backend } from '../../../src/database/backend.ts';
import { postgresBackend } from '../../../src/database/backends/postgres.ts';
import { supabaseBackend } from '../../../src/database/backends/supabase.ts';
import { createTokenIssuer } from '../../../src/activities/push/bearer.ts';
import { connect } from '../../support/sqlImport.ts';
import { createDatabase, startApi, type TestApi, type TestDatabase } from '../../support/stack.ts';

const hash = (n: number): string => String(n).repeat(64);

for (const transport of ['postgres', 'supabase'] as const) {
  describe(`what pushes and schedules ask of the database, over ${transport}`, function () {
    this.timeout(60_000);
    let database: TestDatabase;
    let api: TestApi | undefined;
    let backend: Backend;
    let sql: ReturnType<typeof connect>;

    before(async () => {
      database = await createDatabase();
      sql = connect(database.databaseUrl);
      api = transport === 'supabase' ? await startApi(database.databaseUrl) : undefined;
      backend = api
        ? supabaseBackend({ url: api.url, serviceKey: api.serviceRoleKey })
        : postgresBackend({ databaseUrl: database.databaseUrl, objectsDir: '/nowhere' });
    });
    after(async () => {
      await backend.close();
      await sql.end();
      await api?.stop();
      await database.drop();
    });

    it('a bearer is lent for minutes, once a process and tenant; expired ones go, and the list of tenants tells of none', async () => {
      await backend.call('add_tenant', { tenant_id: 'A', bearer_sha256: hash(1) });
      const issueToken = createTokenIssuer();
      const { secret, fresh } = await issueToken(backend, 'A');
      assert.equal(fresh, true);
      assert.equal((await issueToken(backend, 'A')).secret, secret);
      const bearers = await backend.call('live_bearers', {});
      assert.deepEqual(bearers.map(({ tenant_id, expires_at }) => [tenant_id, expires_at === null]).sort(), [
        ['A', false],
        ['A', true],
      ]);
      assert.deepEqual(
        (await backend.call('list_tenants', {})).map(({ former_until }) => former_until),
        [null],
      );
      await sql`UPDATE ingest.tenant_bearers SET expires_at = now() - interval '1 second' WHERE lent`;
      await assert.rejects(createTokenIssuer()(backend, 'B'), { code: 'TENANT_UNKNOWN' });
      await sql`INSERT INTO ingest.tenants (tenant_id) VALUES ('B')`;
      await createTokenIssuer()(backend, 'B');
      assert.deepEqual(
        [...(await sql`SELECT tenant_id FROM ingest.tenant_bearers WHERE lent`)].map((row) => row['tenant_id']),
        ['B'],
      );
    });

    it('contents are remembered for their tenant alone', async () => {
      const remember = () =>
        backend.call('remember_push', {
          tenant_id: 'A',
          file_sha256: hash(2),
          correlation_id: randomUUID(),
          row_count: 3,
          batches: 1,
        });
      await remember();
      await remember();
      const among = (tenant_id: string) =>
        backend.call('pushed_among', { tenant_id, file_sha256s: [hash(2), hash(3)] });
      assert.deepEqual(await among('A'), { [hash(2)]: null });
      assert.deepEqual(await among('B'), {});
      assert.deepEqual(await backend.call('pushed_among', { tenant_id: 'A', file_sha256s: [] }), {});
      const push = (file: string, modified_at: string) =>
        backend.call('remember_push', {
          tenant_id: 'A',
          file_sha256: file,
          correlation_id: randomUUID(),
          row_count: 3,
          batches: 1,
          modified_at,
        });
      await push(hash(2), '2026-01-03T00:00:00.000Z');
      await push(hash(3), '2026-01-02T00:00:00.000Z');
      const { [hash(2)]: former, [hash(3)]: last } = await among('A');
      assert.deepEqual([Date.parse(former!), last], [Date.parse('2026-01-03T00:00:00.000Z'), null]);
    });

    it('anomalies are listed by age, tenant and severity, newest first', async () => {
      await sql`INSERT INTO public.import_anomalies (tenant_id, batch_id, row_index, anomaly_type, field, reason, correlation_id, created_at)
        SELECT tenant, 'b', n, type, 'f', 'r', gen_random_uuid(), now() - n * interval '1 hour'
        FROM generate_series(1, 30) n, (VALUES ('A', 'UNKNOWN_DS'), ('B', 'UNKNOWN_DELIVERY_PARTNER')) t (tenant, type)`;
      const list = async (window_hours: number, tenant: string | null, severities: string[] | null, max_rows = 100) =>
        (
          await backend.call('list_anomalies', {
            window_hours,
            tenant,
            severities,
            max_rows,
          })
        ).anomalies.map((row) => `${row.tenant_id}${row.row_index}`);
      assert.equal((await list(24, null, null)).length, 46);
      assert.deepEqual(await list(4, 'A', null), ['A1', 'A2', 'A3']);
      assert.deepEqual(await list(100, null, ['warning'], 2), ['B1', 'B2']);
      assert.deepEqual(await list(100, 'A', ['warning', 'info']), []);
    });

    it('retention is previewed, done and counted', async () => {
      await sql`UPDATE public.import_anomalies SET created_at = created_at - interval '90 days' WHERE tenant_id = 'B'`;
      const days = { imports_days: 60, anomalies_days: 90 };
      const preview = await backend.call('preview_cleanup', days);
      assert.equal(
        preview.reduce((sum, { import_anomalies_count: n }) => sum + Number(n), 0),
        30,
      );
      assert.deepEqual(await backend.call('clean_import_data', days), { staging_imports: 0, import_anomalies: 30 });
      const stats = await backend.call('retention_stats', { max_rows: 14 });
      assert.deepEqual(
        stats.map(({ stat_date }) => stat_date).reverse(),
        preview.map(({ stat_date }) => stat_date),
      );
      assert.equal(await backend.call('backfill_memberships', {}), 0);
    });
  });
}
