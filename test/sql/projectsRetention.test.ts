import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { forgetProjects, merge } from '../support/projectsBatch.ts';
import { withDatabase } from '../support/suite.ts';

describe('retention of projects imports', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  beforeEach(() => forgetProjects(sql));

  /** A batch with this many anomalies, written so many days ago. */
  const batchOf = async (name: string, daysAgo: number, anomalies: number): Promise<void> => {
    const { staging_id: id } = await merge(
      sql,
      Array.from({ length: Math.max(anomalies, 1) }, (_, i) => ({
        stage_application: `${name}-${i}`,
        deployment_specialist: anomalies > 0 ? 'nobody' : '',
      })),
    );
    const at = new Date(Date.now() - daysAgo * 86_400_000 - 1000);
    await sql`UPDATE public.staging_imports SET imported_at = ${at} WHERE id = ${id}`;
    await sql`UPDATE public.import_anomalies SET created_at = ${at} WHERE staging_id = ${id}`;
  };
  const left = async (): Promise<number[]> => [
    (await sql`SELECT FROM public.staging_imports`).length,
    (await sql`SELECT FROM public.import_anomalies`).length,
  ];
  const stats = async (): Promise<unknown[][]> =>
    (
      await sql`
    SELECT staging_imports_count AS imports, import_anomalies_count AS anomalies FROM public.import_retention_stats ORDER BY stat_date`
    ).map((row) => Object.values(row));
  const cleanup = async (...days: number[]): Promise<unknown> =>
    (await sql.unsafe(`SELECT public.fn_cleanup_import_data(${days.join(', ')}) AS gone`))[0]!['gone'];

  it('deletes batches after 60 days and anomalies after 90, keeps their counts by day, and previews the same', async () => {
    await batchOf('new', 59, 1);
    await batchOf('middle', 61, 2);
    await batchOf('old', 91, 3);
    await batchOf('older', 91, 0);
    const preview =
      await sql`SELECT staging_imports_count AS imports, import_anomalies_count AS anomalies FROM public.fn_cleanup_import_data_preview() ORDER BY stat_date`;
    assert.deepEqual(await left(), [4, 6]);
    assert.deepEqual(await cleanup(), { staging_imports: 3, import_anomalies: 3 });
    assert.deepEqual(await left(), [1, 3]);
    assert.deepEqual(await stats(), [
      [2, 3],
      [1, 0],
    ]);
    assert.deepEqual(
      preview.map((row) => Object.values(row)),
      await stats(),
    );
  });

  it('adds to the counts of a day, and finds nothing a second time', async () => {
    await batchOf('one', 70, 1);
    await cleanup();
    await batchOf('two', 70, 1);
    await cleanup(45, 65);
    assert.deepEqual(await stats(), [[2, 2]]);
    assert.deepEqual(await cleanup(45, 65), { staging_imports: 0, import_anomalies: 0 });
    assert.equal((await sql`SELECT FROM public.fn_cleanup_import_data_preview(45, 65)`).length, 0);
  });

  it('(0, 0) deletes everything, more than one round of it, and keeps the projects', async () => {
    for (const name of ['a', 'b', 'c']) await batchOf(name, 0, 4000);
    assert.deepEqual(await cleanup(0, 0), { staging_imports: 3, import_anomalies: 12_000 });
    assert.deepEqual(await left(), [0, 0]);
    assert.equal((await sql`SELECT FROM public.projects`).length, 12_000);
  });

  it('keeps what is memoized valid, and lets a deleted batch be merged anew', async () => {
    const rows = [{ stage_application: 'S1', deployment_specialist: 'nobody' }];
    for (const name of ['x', 'y']) await sql`INSERT INTO public.ds_directory (preferred_username) VALUES (${name})`;
    const first = await merge(sql, rows);
    await cleanup();
    const [project] = await sql`SELECT xmin::text FROM public.projects`;
    assert.deepEqual(await merge(sql, rows), first);
    assert.deepEqual({ ...(await sql`SELECT xmin::text FROM public.projects`)[0] }, { ...project });
    await sql`INSERT INTO public.ds_directory (preferred_username) VALUES ('nobody')`;
    assert.equal((await merge(sql, rows)).anomalies_count, 0);
    await cleanup(0, 0);
    const anew = await merge(sql, rows);
    assert.notEqual(anew.staging_id, first.staging_id);
    assert.deepEqual([anew.inserted_projects, anew.updated_projects], [0, 1]);
  });
});
