import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { merge, forgetProjects } from '../support/projectsBatch.ts';
import { withDatabase } from '../support/suite.ts';

const ID = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
/** tenant, name, username, person, status */
const MANAGERS: readonly (readonly [string | null, string, string | null, number | null, string])[] = [
  [null, 'Sam Lee', 'sam.lee', 1, 'inactive'],
  [null, 'Sam Lee', 'sam.lee2', 2, 'active'],
  [null, 'Priya Hartog', 'priya.hartog', 3, 'active'],
  [null, 'Kim Park', 'kim.park', 4, 'active'],
  [null, 'Kim Park', 'kim.park2', 4, 'active'],
  [null, 'Two Persons', 'two.a', 5, 'active'],
  [null, 'Two Persons', 'two.b', 6, 'active'],
  [null, 'Own Entry', 'own.entry', 7, 'active'],
  ['TELCO', 'Own Entry', 'own.entry', 7, 'inactive'],
];

/** name, username -> the person who becomes a member, and the anomaly's match_type */
const CASES: readonly (readonly [string | null, string | null, number | null, string | null])[] = [
  ['Sam Lee', 'sam.lee', null, 'inactive'],
  ['Sam Lee', 'sam.lee2', 2, null],
  ['Sam Lee', null, 2, null],
  ['Priya Hartog', 'priya.hartog2', null, 'none'],
  ['Priya Hartog', 'kim.park', null, 'mismatch'],
  ['P. Hartog', 'priya.hartog', 3, null],
  [null, 'PRIYA.HARTOG', 3, null],
  [null, 'nobody.known', null, 'none'],
  ['Nobody Known', null, null, 'none'],
  ['Kim Park', null, 4, null],
  ['Kim Park', 'kim.park2', 4, null],
  ['Two Persons', null, null, 'ambiguous'],
  ['Two Persons', 'two.b', 6, null],
  ['Own Entry', null, null, 'inactive'],
  ['Own Entry', 'own.entry', null, 'inactive'],
  [null, null, null, null],
];

describe('who becomes a member of a project', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  beforeEach(async () => {
    await forgetProjects(sql);
    for (const [tenant, name, username, person, status] of MANAGERS)
      await sql`INSERT INTO public.rm_directory (tenant_id, display_name, preferred_username, user_id, status)
                VALUES (${tenant}, ${name}, ${username}, ${person === null ? null : ID(person)}, ${status})`;
    await sql`INSERT INTO public.ds_directory (tenant_id, preferred_username, user_id, status)
              VALUES (NULL, 'mira.osei', ${ID(8)}, 'active'), ('TELCO', 'mira.osei', ${ID(8)}, 'inactive')`;
  });

  const membersAndAnomalies = async (): Promise<unknown[][]> =>
    (
      await sql`
      SELECT p.stage_application::int AS place, right(m.member_user_id::text, 1)::int AS person, a.match_type FROM public.projects p
      LEFT JOIN public.project_membership m ON m.project_id = p.id
      LEFT JOIN public.import_anomalies a ON a.project_key = p.stage_application ORDER BY 1`
    ).map((row) => Object.values(row));

  it('is decided by the username alone, else by a name of one active person; a batch and the backfill agree', async () => {
    const rows = CASES.map(([relationship_manager, rm_preferred_username], i) => ({
      stage_application: String(i),
      relationship_manager,
      rm_preferred_username,
    }));
    await merge(sql, rows);
    const expected = CASES.map(([, , person, match], i) => [i, person, match]);
    assert.deepEqual(await membersAndAnomalies(), expected);
    await sql`TRUNCATE public.project_membership`;
    await sql`SELECT public.fn_projects_membership_backfill()`;
    assert.deepEqual(await membersAndAnomalies(), expected);
  });

  it("is nobody whom the tenant's own entry has inactive, whatever the entry for all tenants says", async () => {
    await merge(sql, [{ stage_application: '1', deployment_specialist: 'mira.osei' }]);
    await merge(sql, [{ stage_application: '2', deployment_specialist: 'mira.osei' }], { tenant: 'OTHER' });
    assert.deepEqual(await membersAndAnomalies(), [
      [1, null, 'inactive'],
      [2, 8, null],
    ]);
  });
});
