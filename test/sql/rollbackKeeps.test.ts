/** A rollback takes what its run made, and nothing that was there before or that people have come to need. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { forgetJudgments } from '../support/judgmentsContent.ts';
import { importLeads, openJudgments, resolve, upsertPart } from '../support/judgmentsImport.ts';
import { addDirectories, forgetProjects } from '../support/projectsBatch.ts';
import { importProjects } from '../support/projectsImport.ts';
import { importSearches } from '../support/searchResultsImport.ts';
import { importRows } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';

describe('rollback keeps', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  afterEach(() => forgetJudgments(sql));

  const rollback = async (run: string): Promise<Record<string, unknown>> => {
    const [preview] = await sql`SELECT ingest.preview_rollback(${run}) - 'done' AS answer`;
    const [still] = await sql`SELECT status FROM ingest.import_runs WHERE id = ${run}`;
    assert.equal(still!['status'], 'completed');
    await sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
    const [done] = await sql`SELECT metadata -> 'rollback' AS answer FROM ingest.import_runs WHERE id = ${run}`;
    assert.deepEqual(preview!['answer'], done!['answer'], 'a preview says what is then done');
    return done!['answer'] as Record<string, unknown>;
  };
  const names = async () =>
    (await sql`SELECT name FROM public.plaintiffs ORDER BY name`).map(({ name }) => name as string);
  const byHand = async (name: string, run: string | null = null) =>
    sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name, email, import_run_id)
        VALUES (${plaintiffKey('csv', name, null)}, 'csv', ${name}, 'hand@x.co', ${run})`;

  it('a plaintiff that no run made, and gives it back as it was, also through an heir', async () => {
    const gone = '00000000-0000-4000-8000-000000000000';
    await byHand('Hand Made');
    await byHand('Old Tool', gone);
    const rows = ['Hand Made', 'Old Tool', 'New One'].map((name) => ({ name }));
    const first = await importRows(sql, { batch: 'first', rows });
    const second = await importRows(sql, { batch: 'second', rows });
    const { removed, inherited } = await rollback(first);
    assert.deepEqual([removed, inherited], [0, 3]);
    const last = await rollback(second);
    assert.deepEqual(
      [last['removed'], last['given_back'], (last['kept_edited'] as { count: number }).count],
      [1, 2, 0],
    );
    const left = await sql`SELECT name, email, import_run_id AS run FROM public.plaintiffs ORDER BY name`;
    assert.deepEqual(
      left.map((row) => ({ ...row })),
      [
        { name: 'Hand Made', email: 'hand@x.co', run: null },
        { name: 'Old Tool', email: 'hand@x.co', run: gone },
      ],
    );
  });

  it('a plaintiff that no run made when the run that brought judgments to it goes, too', async () => {
    await byHand('Hand Made');
    const adopted = await importRows(sql, { batch: 'adopts', rows: [{ name: 'Hand Made' }] });
    const judged = await importLeads(sql, { batch: 'judges', rows: [{ name: 'Hand Made', number: 'H-1' }] });
    await rollback(adopted);
    await rollback(judged);
    assert.deepEqual(await names(), ['Hand Made']);
  });

  it('a plaintiff that was adopted before adoptions were recorded', async () => {
    await byHand('Hand Made');
    const run = await importRows(sql, { batch: 'legacy', rows: [{ name: 'Hand Made' }, { name: 'New One' }] });
    await sql`UPDATE ingest.plaintiffs_raw SET adopted = false, adopted_from = NULL`;
    assert.equal((await rollback(run))['removed'], 1);
    assert.deepEqual(await names(), ['Hand Made']);
  });

  it('plaintiffs to whom people have added a task, a contact or history, and those that a table of the team needs', async () => {
    const people = ['Task', 'Contact', 'History', 'Team', 'Nothing'];
    const run = await importRows(sql, { batch: 'used', rows: people.map((name) => ({ name })) });
    const idOf = async (name: string) =>
      (await sql`SELECT id FROM public.plaintiffs WHERE name = ${name}`)[0]!['id'] as number;
    await sql`INSERT INTO public.plaintiff_tasks (plaintiff_id, kind) VALUES (${await idOf('Task')}, 'call')`;
    await sql`INSERT INTO public.plaintiff_contacts (plaintiff_id, kind, value) VALUES (${await idOf('Contact')}, 'phone', '5550000')`;
    await sql`INSERT INTO public.plaintiff_status_history (plaintiff_id, status) VALUES (${await idOf('History')}, 'called')`;
    await sql`CREATE TABLE public.team_notes (person bigint REFERENCES public.plaintiffs ON DELETE CASCADE, note text)`;
    await sql`INSERT INTO public.team_notes VALUES (${await idOf('Team')}, 'mind the dog')`;
    const ids = await Promise.all(['Task', 'Contact', 'History', 'Team'].map(idOf));
    const { removed, kept_edited: kept } = await rollback(run);
    assert.deepEqual([removed, kept], [1, { count: 4, plaintiff_ids: ids.sort((a, b) => a - b) }]);
    assert.deepEqual(await names(), ['Contact', 'History', 'Task', 'Team']);
    await sql`DROP TABLE public.team_notes`;
  });

  it('a judgment that a table of the team needs, with its plaintiff', async () => {
    const run = await importLeads(sql, {
      batch: 'team',
      rows: [
        { name: 'Ann', email: 'ann@x.co', number: '1' },
        { name: 'Bob', number: '2' },
      ],
    });
    await sql`CREATE TABLE public.team_cases (judgment_id bigint REFERENCES public.judgments)`;
    await sql`INSERT INTO public.team_cases SELECT id FROM public.judgments WHERE judgment_number = '1'`;
    assert.equal((await rollback(run))['removed'], 1);
    assert.deepEqual(await names(), ['Ann']);
    await sql`DROP TABLE public.team_cases`;
  });

  it('what follows from a judgment and a table of the team needs: a contact, a task, history, and their plaintiff', async () => {
    const rows = ['Contact', 'Task', 'History', 'Nothing'].map((name, i) => ({
      name,
      email: `${name}@x.co`,
      number: String(i),
    }));
    const run = await importLeads(sql, { batch: 'followed', rows });
    for (const [name, table] of [
      ['Contact', 'plaintiff_contacts'],
      ['Task', 'plaintiff_tasks'],
      ['History', 'plaintiff_status_history'],
    ])
      await sql.unsafe(`
        CREATE TABLE public.team_${table} (id bigint REFERENCES public.${table} ON DELETE CASCADE);
        INSERT INTO public.team_${table} SELECT x.id FROM public.${table} x JOIN public.plaintiffs p ON p.id = x.plaintiff_id
        WHERE p.name = '${name}'`);
    const { removed, kept_edited: kept } = await rollback(run);
    assert.deepEqual([removed, (kept as { plaintiff_ids: [] }).plaintiff_ids.length], [4, 3]);
    assert.deepEqual(await names(), ['Contact', 'History', 'Task']);
    for (const table of ['plaintiff_contacts', 'plaintiff_tasks', 'plaintiff_status_history']) {
      assert.equal((await sql.unsafe(`SELECT FROM public.team_${table}`)).length, 1);
      await sql.unsafe(`DROP TABLE public.team_${table}`);
    }
  });

  it('a search result that a table of the team needs, and one whose image it needs', async () => {
    const rows = ['1', '2', '3'].map((number) => ({ number, ts: '2025-01-01', image: number }));
    const run = await importSearches(sql, { rows });
    await sql`CREATE TABLE public.team_results (id bigint REFERENCES public.search_results ON DELETE CASCADE)`;
    await sql`CREATE TABLE public.team_images (id bigint REFERENCES public.images)`;
    await sql`INSERT INTO public.team_results SELECT id FROM public.search_results WHERE license_number = '1'`;
    await sql`INSERT INTO public.team_images SELECT i.id FROM public.images i JOIN public.search_results r ON r.id = i.search_result_id
              WHERE r.license_number = '2'`;
    const ids = (await sql`SELECT id FROM public.search_results WHERE license_number < '3' ORDER BY id`).map(
      ({ id }) => id as number,
    );
    const { removed, kept_edited: kept } = await rollback(run);
    assert.deepEqual([removed, kept], [1, { count: 2, search_result_ids: ids }]);
    assert.equal((await sql`SELECT FROM public.team_results`).length, 1);
    await sql`DROP TABLE public.team_results, public.team_images`;
  });

  it('a project that a table of the team needs', async () => {
    const rows = ['A', 'B'].map((application) => ({ stage_application: application }));
    const { runId } = await importProjects(sql, { rows });
    await sql`CREATE TABLE public.team_sites (id bigint REFERENCES public.projects)`;
    await sql`INSERT INTO public.team_sites SELECT id FROM public.projects WHERE stage_application = 'A'`;
    const { removed, kept_edited: kept } = await rollback(runId);
    assert.deepEqual([removed, (kept as { count: number }).count], [1, 1]);
    assert.equal((await sql`SELECT FROM public.projects`).length, 1);
    await sql`DROP TABLE public.team_sites`;
  });

  it('a member of a project and an anomaly that a table of the team needs, also where the project has its former values again', async () => {
    const { org } = await addDirectories(sql);
    const row = (application: string, partner: string) => ({
      stage_application: application,
      delivery_partner: partner,
    });
    await importProjects(sql, { batch: 'before', rows: [row('Old', 'Other')] });
    const rows = [row('Old', 'Acme'), row('New', 'Acme'), row('Odd', 'Nobody knows')];
    const { runId } = await importProjects(sql, { batch: 'now', rows });
    await sql`ALTER TABLE public.project_membership ADD COLUMN team_key bigint GENERATED ALWAYS AS IDENTITY UNIQUE`;
    await sql`CREATE TABLE public.team_members (id bigint REFERENCES public.project_membership (team_key) ON DELETE CASCADE)`;
    await sql`CREATE TABLE public.team_tickets (id uuid REFERENCES public.import_anomalies)`;
    await sql`INSERT INTO public.team_members SELECT team_key FROM public.project_membership WHERE member_partner_org_id = ${org}`;
    await sql`INSERT INTO public.team_tickets SELECT id FROM public.import_anomalies`;
    const ids = (await sql`SELECT id FROM public.projects WHERE stage_application IN ('Old', 'New') ORDER BY id`).map(
      ({ id }) => id as number,
    );
    const { removed, restored, kept_edited: kept } = await rollback(runId);
    assert.deepEqual([removed, restored, kept], [1, 1, { count: 2, project_ids: ids }]);
    const [left] =
      await sql`SELECT (SELECT count(*) FROM public.team_members) AS members, (SELECT count(*) FROM public.team_tickets) AS tickets,
      (SELECT delivery_partner_label FROM public.projects WHERE stage_application = 'Old') AS partner`;
    assert.deepEqual({ ...left }, { members: 2, tickets: 1, partner: 'Other' });
    await sql`DROP TABLE public.team_members, public.team_tickets`;
    await sql`ALTER TABLE public.project_membership DROP COLUMN team_key`;
    await forgetProjects(sql);
  });

  it('a judgment for the run that skipped it, with the values of that run unless somebody edited it', async () => {
    const lead = (amount: string, number: string) => ({ name: 'Ann', email: 'ann@x.co', number, amount });
    const wrong = await importLeads(sql, { batch: 'wrong', rows: [lead('100000', '1'), lead('100000', '2')] });
    const right = await importLeads(sql, { batch: 'right', rows: [lead('1000', '1'), lead('1000', '2')] });
    await sql`UPDATE public.judgments SET judgment_amount = 5 WHERE judgment_number = '2'`;
    assert.equal((await rollback(wrong))['inherited'], 2);
    const found =
      await sql`SELECT judgment_number AS number, judgment_amount AS amount, import_run_id AS run FROM public.judgments ORDER BY 1`;
    assert.deepEqual(
      found.map((row) => ({ ...row })),
      [
        { number: '1', amount: '1000', run: right },
        { number: '2', amount: '5', run: right },
      ],
    );
    assert.equal((await rollback(right))['removed'], 1);
  });

  it('one person of one address: who comes between resolve and upsert is found', async () => {
    const open = await openJudgments(sql, {
      batch: 'between',
      rows: [{ name: 'Bob Jones', email: 'bob@x.co', number: '1' }],
    });
    await resolve(sql, open);
    await importRows(sql, { batch: 'meanwhile', rows: [{ name: 'Robert Jones', email: 'bob@x.co' }] });
    await upsertPart(sql, open, 0);
    assert.deepEqual(await names(), ['Robert Jones']);
  });
});
