import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { forgetJudgments, tableSizes } from '../support/judgmentsContent.ts';
import {
  importLeads,
  openJudgments,
  resolve,
  settleJudgments,
  upsertPart,
  type Lead,
} from '../support/judgmentsImport.ts';
import { importRows } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

const NOTHING = { plaintiffs: 0, judgments: 0, contacts: 0, tasks: 0, history: 0, jobs: 0 };
const ann: Lead = { name: 'Ann', email: 'ann@x.co', phone: '5550001', address: '1 Elm' };
const bob: Lead = { name: 'Bob', email: 'bob@x.co' };

describe('rollback of judgments', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  afterEach(async () => {
    const wrong =
      await sql`SELECT id FROM ingest.import_runs r WHERE r.status <> 'rolled_back' AND NOT (ingest.reconcile_import_run(r.id)).is_valid`;
    await forgetJudgments(sql);
    assert.deepEqual([...wrong], [], 'every run that is left reconciles');
  });

  const rollback = async (run: string) => {
    await sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
    return (await sql`SELECT metadata -> 'rollback' AS answer FROM ingest.import_runs WHERE id = ${run}`)[0]!['answer'];
  };
  const owners = async (table: string) =>
    (await sql.unsafe(`SELECT DISTINCT import_run_id AS run FROM public.${table}`)).map((row) => row['run'] as string);
  const contacts = async () =>
    (await sql`SELECT kind, value, is_primary FROM public.plaintiff_contacts ORDER BY kind, value`).map((row) =>
      Object.values(row).join(' '),
    );

  it('takes back everything, the jobs that nobody has read among it, and the file imports again', async () => {
    const batch = {
      batch: 'all',
      rows: [
        { ...ann, number: '1' },
        { ...ann, phone: '5550002', number: '2' },
        { ...bob, number: '3' },
        { ...bob, number: '3' },
        { number: '4' },
      ],
    };
    const run = await importLeads(sql, batch);
    const sizes = await tableSizes(sql);
    assert.deepEqual(sizes, { plaintiffs: 2, judgments: 3, contacts: 5, tasks: 2, history: 2, jobs: 6 });
    const { rows_affected: rows, removed, effects } = await rollback(run);
    assert.deepEqual([rows, removed], [5, 3]);
    assert.deepEqual(effects, { ...sizes, jobs_read_already: 0 });
    assert.deepEqual(await tableSizes(sql), NOTHING);
    const [log] =
      await sql`SELECT count(*) AS n, count(*) FILTER (WHERE status = 'rolled_back') AS gone FROM public.raw_simplicity_imports`;
    assert.deepEqual({ ...log }, { n: 5, gone: 5 });
    await importLeads(sql, batch);
    assert.deepEqual(await tableSizes(sql), sizes);
  });

  it('takes back the people whom a run kept apart for a shared contact, and leaves those who had it and those whom others match', async () => {
    const office = { email: 'office@x.co', phone: '5550100' };
    const content = async () => [
      await sql`SELECT id, name, email, phone, import_run_id FROM public.plaintiffs ORDER BY id`,
      await sql`SELECT id, plaintiff_id, kind, value, is_primary, import_run_id FROM public.plaintiff_contacts ORDER BY id`,
      await sql`SELECT id, plaintiff_id, judgment_number, import_run_id FROM public.judgments ORDER BY id`,
      await sql`SELECT id, plaintiff_id, status FROM public.plaintiff_tasks ORDER BY id`,
    ];
    const names = async () =>
      (await sql`SELECT name FROM public.plaintiffs ORDER BY name`).map((row) => row['name'] as string);
    const remarks = async (run: string) =>
      (
        await sql`SELECT line_number FROM public.raw_simplicity_imports WHERE import_run_id = ${run} AND reason = 'SHARED_CONTACT' ORDER BY row_index`
      ).map((row) => row['line_number'] as number);

    const first = await importLeads(sql, { batch: 'first', rows: [{ name: 'Ann Lee', ...office, number: '1' }] });
    const before = await content();
    const rows = [
      { name: 'Boris Lund', ...office, number: '2' },
      { name: 'Gale Hart', email: office.email, number: '3' },
      { name: 'A Lee', ...office, number: '4' },
      { name: 'Cruz Diaz', phone: office.phone, number: '5' },
      { name: 'G Hart', email: office.email, number: '6' },
    ];
    const second = await importLeads(sql, { batch: 'second', rows });
    assert.deepEqual(await names(), ['Ann Lee', 'Boris Lund', 'Cruz Diaz', 'Gale Hart']);
    assert.deepEqual(await remarks(second), [2, 3, 5]);
    const { effects } = await rollback(second);
    assert.deepEqual([effects.plaintiffs, effects.judgments], [3, 5]);
    assert.deepEqual(await content(), before);

    // Those whom a later run has matched stay, as that run's; so does whom it made itself.
    const again = await importLeads(sql, { batch: 'again', rows });
    const later = await importLeads(sql, {
      batch: 'later',
      rows: [
        { name: 'Boris Lund', ...office, number: '7' },
        { name: 'Nils Orr', ...office, number: '8' },
      ],
    });
    assert.deepEqual(await remarks(later), [3]);
    await rollback(again);
    assert.deepEqual(await names(), ['Ann Lee', 'Boris Lund', 'Nils Orr']);
    assert.deepEqual(new Set(await owners('judgments')), new Set([first, later]));
    await rollback(later);
    assert.deepEqual(await content(), before);

    // The one who had the contact first goes; the others stay.
    const third = await importLeads(sql, { batch: 'third', rows: [{ name: 'Nils Orr', ...office, number: '9' }] });
    await rollback(first);
    assert.deepEqual([await names(), await owners('plaintiffs')], [['Nils Orr'], [third]]);
  });

  it('keeps an edited judgment with its plaintiff and jobs', async () => {
    const run = await importLeads(sql, {
      batch: 'edited',
      rows: [
        { ...ann, number: '1' },
        { ...ann, number: '2' },
        { ...bob, number: '3' },
      ],
    });
    await sql`UPDATE public.judgments SET county = 'Elm' WHERE judgment_number = '1'`;
    const { kept_edited: kept } = await rollback(run);
    assert.equal(kept.count, 1);
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 1,
      judgments: 1,
      contacts: 3,
      tasks: 1,
      history: 1,
      jobs: 2,
    });
    // The file again: the kept judgment is skipped, the others come back.
    await importLeads(sql, {
      batch: 'edited',
      rows: [
        { ...ann, number: '1' },
        { ...ann, number: '2' },
        { ...bob, number: '3' },
      ],
    });
    const { plaintiffs, judgments } = await tableSizes(sql);
    assert.deepEqual([plaintiffs, judgments], [2, 3]);
  });

  it('keeps an edited plaintiff, a closed task, an edited contact and a job that was read', async () => {
    const run = await importLeads(sql, {
      batch: 'touched',
      rows: [
        { ...ann, number: '1' },
        { ...bob, number: '2' },
        { name: 'Cy', phone: '5550003', number: '3' },
        { name: 'Di', number: '4' },
      ],
    });
    await sql`UPDATE public.plaintiffs SET firm_name = 'Ash' WHERE name = 'Ann'`;
    await sql`UPDATE public.plaintiff_tasks SET status = 'done' WHERE plaintiff_id = (SELECT id FROM public.plaintiffs WHERE name = 'Bob')`;
    await sql`UPDATE public.plaintiff_contacts SET value = '5550009' WHERE value = '5550003'`;
    await sql`UPDATE public.queue_messages SET read_ct = 1 WHERE queue_name = 'enrich'`;
    const { effects } = await rollback(run);
    assert.deepEqual([effects.jobs, effects.jobs_read_already], [4, 4]);
    assert.deepEqual(
      (await sql`SELECT name FROM public.plaintiffs ORDER BY name`).map((row) => row['name']),
      ['Ann', 'Bob', 'Cy'],
    );
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 3,
      judgments: 0,
      contacts: 1,
      tasks: 1,
      history: 0,
      jobs: 4,
    });
  });

  it('passes a judgment with all that followed from it to a later run that skipped it, then takes it back from there', async () => {
    const first = await importLeads(sql, {
      batch: '1',
      rows: [
        { ...ann, number: '1' },
        { ...ann, phone: '5550002', number: '2' },
      ],
    });
    const second = await importLeads(sql, {
      batch: '2',
      rows: [
        { ...ann, number: '1' },
        { ...bob, number: '3' },
      ],
    });
    const third = await importLeads(sql, { batch: '3', rows: [{ ...ann, number: '1' }] });
    const { inherited } = await rollback(first);
    assert.equal(inherited, 1);
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 2,
      judgments: 2,
      contacts: 4,
      tasks: 2,
      history: 2,
      jobs: 4,
    });
    for (const table of [
      'judgments',
      'plaintiffs',
      'plaintiff_contacts',
      'plaintiff_tasks',
      'plaintiff_status_history',
    ]) {
      assert.deepEqual(await owners(table), [second], table);
    }
    const counters = async (run: string) =>
      Object.values((await sql`SELECT rows_inserted, rows_skipped FROM ingest.import_runs WHERE id = ${run}`)[0]!);
    assert.deepEqual(
      [await counters(second), await counters(third)],
      [
        [2, 0],
        [0, 1],
      ],
    );
    await rollback(second);
    assert.deepEqual(await owners('judgments'), [third]);
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 1,
      judgments: 1,
      contacts: 3,
      tasks: 1,
      history: 1,
      jobs: 2,
    });
    await rollback(third);
    assert.deepEqual(await tableSizes(sql), NOTHING);
  });

  it('keeps contacts, task and plaintiff that another run needs, and another contact becomes the primary one', async () => {
    const first = await importLeads(sql, { batch: '1', rows: [{ ...ann, number: '1' }] });
    const second = await importLeads(sql, {
      batch: '2',
      rows: [{ name: 'Ann', email: 'ann@x.co', phone: '5550002', number: '2' }],
    });
    assert.deepEqual(await contacts(), [
      'address 1 Elm true',
      'email ann@x.co true',
      'phone 5550001 true',
      'phone 5550002 false',
    ]);
    await rollback(first);
    assert.deepEqual(await contacts(), ['email ann@x.co true', 'phone 5550002 true']);
    assert.deepEqual(
      [await owners('plaintiffs'), await owners('plaintiff_tasks'), await owners('plaintiff_contacts')],
      [[second], [second], [second]],
    );
    await rollback(second);
    assert.deepEqual(await tableSizes(sql), NOTHING);
  });

  it('of an import of plaintiffs keeps one that has judgments, for the run that brought them', async () => {
    const plain = await importRows(sql, {
      source: 'csv',
      batch: 'p',
      rows: [{ name: 'Ann', email: 'ann@x.co' }, { name: 'Eve' }],
    });
    const run = await importLeads(sql, { batch: 'j', rows: [{ ...ann, number: '1' }] });
    await rollback(plain);
    assert.deepEqual(
      (await sql`SELECT name FROM public.plaintiffs`).map((row) => row['name']),
      ['Ann'],
    );
    await rollback(run);
    assert.deepEqual(await tableSizes(sql), NOTHING);
  });

  it('leaves a plaintiff to an import of plaintiffs that has it', async () => {
    const plain = await importRows(sql, { source: 'csv', batch: 'p', rows: [{ name: 'Ann', email: 'ann@x.co' }] });
    await rollback(await importLeads(sql, { batch: 'j', rows: [{ ...ann, number: '1' }] }));
    assert.deepEqual(await owners('plaintiffs'), [plain]);
    assert.deepEqual(await tableSizes(sql), { ...NOTHING, plaintiffs: 1 });
  });

  it('passes a plaintiff to a later import of plaintiffs that carried it, too', async () => {
    const run = await importLeads(sql, {
      batch: 'j',
      rows: [
        { ...ann, number: '1' },
        { ...bob, number: '2' },
      ],
    });
    const plain = await importRows(sql, {
      source: 'simplicity',
      batch: 'p',
      rows: [
        { name: 'ANN', email: 'ann@x.co', phone: '5550007' },
        { name: 'ann', email: 'ann@x.co' },
      ],
    });
    await rollback(run);
    assert.deepEqual(await tableSizes(sql), { ...NOTHING, plaintiffs: 1 });
    const [heir] = await sql`
      SELECT p.name, p.phone, p.import_run_id = ${plain} AS owned, i.rows_inserted, i.rows_skipped, r.row_index
      FROM public.plaintiffs p JOIN ingest.import_runs i ON i.id = p.import_run_id JOIN ingest.plaintiffs_raw r ON r.promoted_plaintiff_id = p.id`;
    assert.deepEqual(
      { ...heir },
      { name: 'ANN', phone: '5550007', owned: true, rows_inserted: 1, rows_skipped: 1, row_index: 0 },
    );
    await rollback(plain);
    assert.deepEqual(await tableSizes(sql), NOTHING);
  });

  it('is seen by an import that has planned to attach to what it takes back', async () => {
    const first = await importLeads(sql, { batch: '1', rows: [{ ...ann, number: '1' }] });
    const open = await openJudgments(sql, {
      batch: '2',
      parts: 2,
      rows: [
        { ...ann, number: '1' },
        { ...bob, number: '2' },
        { ...bob, number: '1' },
      ],
    });
    await resolve(sql, open);
    await rollback(first);
    for (const part of [0, 1]) await upsertPart(sql, open, part);
    await settleJudgments(sql, open);
    const rows =
      await sql`SELECT status FROM public.raw_simplicity_imports WHERE import_run_id = ${open.runId} ORDER BY row_index`;
    assert.deepEqual(
      rows.map((row) => row['status']),
      ['inserted', 'inserted', 'skipped'],
    );
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 2,
      judgments: 2,
      contacts: 4,
      tasks: 2,
      history: 2,
      jobs: 4,
    });
  });
});
