import { strict as assert } from 'node:assert';
import { Client } from 'pg';
import type postgres from 'postgres';
import type { Course } from '../../../bench/contenders/contender.ts';
import { loop, merge } from '../../../bench/contenders/projects.ts';
import { projects } from '../../../bench/subjects/projects.ts';
import { withDatabase } from '../../support/suite.ts';

describe('the contenders of the bench of projects', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let url: string;
  withDatabase((opened, { databaseUrl }) => {
    sql = opened;
    url = databaseUrl;
  });

  const content = async (): Promise<unknown> => ({
    projects: [
      ...(await sql`
      SELECT stage_application, delivery_partner_label, o.name AS org, developer_class, deployment_specialist, d.preferred_username AS specialist,
        relationship_manager, r.display_name AS manager, stage_application_created, residential, commercial, essential, premises_count, address,
        efscd, development_type, build_type, fod_id, latitude, longitude, p.staging_id IS NOT NULL AS staged,
        (SELECT array_agg(coalesce(mo.name, md.preferred_username, mr.display_name) ORDER BY 1) FROM public.project_membership m
         LEFT JOIN public.partner_org mo ON mo.id = m.member_partner_org_id LEFT JOIN public.ds_directory md ON md.user_id = m.member_user_id
         LEFT JOIN public.rm_directory mr ON mr.user_id = m.member_user_id WHERE m.project_id = p.id) AS members
      FROM public.projects p LEFT JOIN public.partner_org o ON o.id = p.partner_org_id
      LEFT JOIN public.ds_directory d ON d.user_id = p.deployment_specialist_user_id
      LEFT JOIN public.rm_directory r ON r.user_id = p.relationship_manager_user_id ORDER BY stage_application`),
    ],
    anomalies: [
      ...(await sql`
      SELECT row_index, anomaly_type, field, input_value, project_key, payload_excerpt FROM public.import_anomalies ORDER BY row_index, anomaly_type`),
    ],
  });

  it('come to the same projects, members and anomalies, row for row', async () => {
    const database = new Client({ connectionString: url });
    await database.connect();
    try {
      const course = { database, rows: 250, count: () => projects.count(database) } as unknown as Course;
      const left: unknown[] = [];
      for (const contender of [loop(40, 150), merge(40, 150)]) {
        const { counts } = await contender.run(course);
        assert.equal(counts?.['projects'], 250);
        assert.equal(counts?.['anomalies'], projects.expected(250, 1)['anomalies']);
        left.push(await content());
        await database.query(
          'truncate public.projects, public.staging_imports, public.import_anomalies, public.partner_org, public.ds_directory, public.rm_directory cascade',
        );
        await database.query('drop schema bench_plain cascade');
      }
      assert.deepEqual(left[0], left[1]);
    } finally {
      await database.end();
    }
  });
});
