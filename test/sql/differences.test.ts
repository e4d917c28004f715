import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { openImport, settle, stageRows, type OpenImport, type SourceRow } from '../support/sqlImport.ts';
import { openJudgments, resolve, settleJudgments, stageLeads, type Lead } from '../support/judgmentsImport.ts';
import { withDatabase } from '../support/suite.ts';

type Answer = Record<string, number> & { effects?: Record<string, number> };

/** A kind in the same words: what its file says, and what production shows of it. */
interface Subject {
  readonly kind: string;
  open(batch: string, phone: string, more?: { readonly email?: string; readonly amount?: string }): Promise<Opened>;
  dryRun(phone: string): Promise<Answer>;
  shown(): Promise<string>;
}
interface Opened {
  readonly runId: string;
  upsert(update: boolean): Promise<Answer>;
  settle(): Promise<void>;
}

describe('rows that are known and say otherwise', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  afterEach(
    () =>
      sql`TRUNCATE ingest.import_runs, ingest.plaintiffs_raw, public.plaintiffs, public.judgments, public.raw_simplicity_imports, public.queue_messages CASCADE`,
  );

  const part = async (open: OpenImport & { readonly chunks?: number }, update: boolean) =>
    (
      await sql<{ answer: Answer }[]>`
        SELECT ingest.upsert_partition(${open.runId}, ${open.lease}, ${open.stageId}, ${open.chunks ?? 1}, 0, update_known => ${update}) AS answer`
    )[0]!.answer;
  const count = async (kind: string, stageId: string, update: boolean) =>
    (
      await sql<{ answer: Answer }[]>`
        SELECT ingest.count_partition(${kind}, ${kind === 'plaintiffs' ? 'csv' : kind}, ${stageId}, 1, 0, update_known => ${update}) AS answer`
    )[0]!.answer;
  const rollback = async (runId: string) => {
    await sql`SELECT ingest.rollback_import_run(${runId}, 'test')`;
    return (await sql`SELECT metadata -> 'rollback' AS result FROM ingest.import_runs WHERE id = ${runId}`)[0]![
      'result'
    ] as Record<string, unknown>;
  };
  const differences = async (runId: string) =>
    ((await sql`SELECT ingest.read_differences(${runId}) AS found`)[0]!['found'] as Record<string, string>[]).map(
      (d) => `${d['line']} ${d['field']}: ${d['database_value']} -> ${d['file_value']} ${d['status']}`,
    );
  const counters = async (runId: string) => {
    const [row] =
      await sql`SELECT rows_inserted, rows_updated, rows_skipped FROM ingest.import_runs WHERE id = ${runId}`;
    return Object.values(row!).join(' ');
  };

  const people = (phone: string, email = 'ann@example.com'): SourceRow[] => [
    { name: 'Ann Lee', email, ...(phone ? { phone } : {}) },
    { name: 'Bo Ek', email: 'bo@example.com', phone: '5550000001' },
  ];
  const leads = (phone: string, amount = '10.00'): Lead[] => [
    { name: 'Ann Lee', number: 'N-1', amount, email: 'ann@example.com', ...(phone ? { phone } : {}) },
    { name: 'Bo Ek', number: 'N-2', amount: '20.00', email: 'bo@example.com', phone: '5550000001' },
  ];
  const lead = (phone: string): Lead => ({
    name: 'Ann Lee',
    number: 'N-1',
    amount: '10.00',
    email: 'ann@example.com',
    ...(phone ? { phone } : {}),
  });
  const plaintiffs: Subject = {
    kind: 'plaintiffs',
    async open(batch, phone, { email } = {}) {
      const open = await openImport(sql, { batch, rows: people(phone, email) });
      return {
        runId: open.runId,
        upsert: (update) => part(open, update),
        settle: async () => assert.equal(await settle(sql, open, 2), true),
      };
    },
    async dryRun(phone) {
      return count('plaintiffs', await stageRows(sql, 'csv', people(phone)), true);
    },
    async shown() {
      const rows = await sql`SELECT phone FROM public.plaintiffs WHERE name = 'Ann Lee'`;
      return rows.map(({ phone }) => String(phone)).join();
    },
  };
  const judgments: Subject = {
    kind: 'simplicity',
    async open(batch, phone) {
      const open = await openJudgments(sql, { batch, parts: 1, rows: leads('', phone) });
      await resolve(sql, open);
      return {
        runId: open.runId,
        upsert: (update) => part(open, update),
        settle: () => settleJudgments(sql, open),
      };
    },
    async dryRun(phone) {
      const { stageId, chunks } = await stageLeads(sql, { rows: leads('', phone) });
      await sql`SELECT ingest.resolve_stage(null, 0, 'simplicity', ${stageId}, ${chunks}, 1)`;
      return count('simplicity', stageId, true);
    },
    async shown() {
      const rows = await sql`SELECT judgment_amount FROM public.judgments WHERE judgment_number = 'N-1'`;
      return rows.map((row) => String(row['judgment_amount'])).join();
    },
  };

  for (const subject of [plaintiffs, judgments]) {
    const field = subject === plaintiffs ? 'phone' : 'judgment_amount';
    const [a, b, c] = subject === plaintiffs ? ['5550000010', '5550000020', '5550000030'] : ['10.00', '20.50', '30.00'];
    const done = async (batch: string, value: string, update: boolean) => {
      const open = await subject.open(batch, value);
      const answer = await open.upsert(update);
      await open.settle();
      return { ...open, answer };
    };

    describe(subject.kind, () => {
      it('are skipped, counted by field and listed', async () => {
        await done('a', a!, false);
        const { runId, answer } = await done('b', b!, false);
        assert.deepEqual([answer['inserted'], answer['updated'], answer['skipped']], [0, 0, 2]);
        assert.equal(answer.effects!['differing'], 1);
        assert.equal(answer.effects![`differing:${field}`], 1);
        assert.deepEqual(await differences(runId), [`2 ${field}: ${a} -> ${b} skipped`]);
        assert.equal(await subject.shown(), a);
      });

      it('update with --on-conflict update what a dry run says, and a rollback restores it', async () => {
        await done('a', a!, false);
        const expected = await subject.dryRun(b!);
        assert.equal(await subject.shown(), a, 'a dry run writes nothing');
        const { runId, answer } = await done('b', b!, true);
        const counts = ({ inserted, updated, skipped, errored }: Answer) => ({ inserted, updated, skipped, errored });
        assert.deepEqual(counts(answer), { inserted: 0, updated: 1, skipped: 1, errored: 0 });
        assert.deepEqual(
          { ...counts(expected), effects: expected.effects },
          { ...counts(answer), effects: answer.effects },
        );
        assert.equal(answer.effects![`updated:${field}`], 1);
        assert.equal(await subject.shown(), b);
        assert.deepEqual(await differences(runId), [`2 ${field}: ${a} -> ${b} applied`]);
        assert.equal((await rollback(runId))['restored'], 1);
        assert.equal(await subject.shown(), a);
      });

      it('leave what somebody edited, before and after', async () => {
        await done('a', a!, false);
        const second = await done('b', b!, true);
        await sql.unsafe(
          subject === plaintiffs
            ? `UPDATE public.plaintiffs SET phone = '5559999999' WHERE name = 'Ann Lee'`
            : `UPDATE public.judgments SET judgment_amount = 99 WHERE judgment_number = 'N-1'`,
        );
        const edited = await subject.shown();
        const third = await done('c', c!, true);
        assert.deepEqual([third.answer['updated'], third.answer['skipped']], [0, 2]);
        assert.match((await differences(third.runId)).join(), /edited$/);
        const result = await rollback(second.runId);
        assert.equal((result['kept_edited'] as { count: number }).count, 1);
        assert.equal(await subject.shown(), edited);
      });

      it('come back in any order of rollbacks', async () => {
        for (const [order, shown] of [
          [
            [1, 2],
            [c, a],
          ],
          [
            [2, 1],
            [b, a],
          ],
          [
            [0, 2, 1],
            [c, b, ''],
          ],
          [
            [0, 1, 2],
            [c, c, ''],
          ],
          [
            [1, 0, 2],
            [c, c, ''],
          ],
        ] as [number[], string[]][]) {
          const runs = [await done('a', a!, false), await done('b', b!, true), await done('c', c!, true)];
          assert.equal(await subject.shown(), c);
          for (const [i, which] of order.entries()) {
            await rollback(runs[which]!.runId);
            assert.equal(await subject.shown(), shown[i], `${order.join(' ')} after ${i}`);
          }
          if (order.length === 2) {
            assert.equal(await counters(runs[0]!.runId), '2 0 0');
            await rollback(runs[0]!.runId);
          }
          await sql`TRUNCATE ingest.import_runs, ingest.plaintiffs_raw, public.plaintiffs, public.judgments, public.raw_simplicity_imports, public.queue_messages CASCADE`;
        }
      });

      it('pass to the run that updated them when the run that made them is rolled back', async () => {
        const first = await done('a', a!, false);
        const second = await done('b', b!, true);
        await rollback(first.runId);
        assert.equal(await subject.shown(), b);
        assert.equal(await counters(second.runId), '2 0 0');
        const [row] = await sql`SELECT r.* FROM ingest.reconcile_import_run(${second.runId}) r`;
        assert.equal(row!['is_valid'], true);
      });
    });
  }

  // The first row of a key counts, whether the key is new or known; what later ones say otherwise is told.
  for (const { kind, field, table, open, dryRun } of [
    {
      kind: 'plaintiffs',
      field: 'phone',
      table: 'public.plaintiffs',
      open: (batch: string, values: readonly string[]) =>
        openImport(sql, { batch, rows: values.map((phone) => ({ name: 'Ann Lee', ...(phone ? { phone } : {}) })) }),
      dryRun: (values: readonly string[]) =>
        stageRows(
          sql,
          'csv',
          values.map((phone) => ({ name: 'Ann Lee', ...(phone ? { phone } : {}) })),
        ),
    },
    {
      kind: 'simplicity',
      field: 'phone',
      table: 'public.judgments',
      async open(batch: string, values: readonly string[]) {
        const opened = await openJudgments(sql, { batch, parts: 1, rows: values.map(lead) });
        await resolve(sql, opened);
        return opened;
      },
      async dryRun(values: readonly string[]) {
        const { stageId, chunks } = await stageLeads(sql, { rows: values.map(lead) });
        await sql`SELECT ingest.resolve_stage(null, 0, 'simplicity', ${stageId}, ${chunks}, 1)`;
        return stageId;
      },
    },
  ]) {
    describe(`${kind}: a key that comes again in one file`, () => {
      const planned = async (stageId: string, update: boolean) =>
        (
          await sql<{ found: Record<string, string>[] }[]>`
            SELECT ingest.plan_differences(${kind}, ${kind === 'plaintiffs' ? 'csv' : kind}, ${stageId}, 0, ${update}) AS found`
        )[0]!.found.map(
          (d) => `${d['line']} ${d['field']}: ${d['database_value']} -> ${d['file_value']} ${d['status']}`,
        );
      const both = async (batch: string, values: readonly string[], update: boolean) => {
        const stageId = await dryRun(values);
        const expected = await count(kind, stageId, update);
        const expectedList = await planned(stageId, update);
        const opened = await open(batch, values);
        const answer = await part(opened, update);
        const found = await differences(opened.runId);
        assert.deepEqual(expected, answer, 'a dry run counts what a commit does');
        assert.deepEqual(expectedList, found, 'and lists it');
        return { answer, found, opened };
      };

      for (const update of [false, true])
        it(`is compared with its first row when it is new${update ? ' (--on-conflict update)' : ''}`, async () => {
          const { answer, found } = await both('a', ['5550000010', '5550000020', '5550000010', ''], update);
          assert.deepEqual([answer['inserted'], answer['updated'], answer['skipped']], [1, 0, 3]);
          assert.equal(answer.effects!['differing'], 1);
          assert.equal(answer.effects!['differing_in_file'], 1);
          assert.equal(answer.effects![`differing:${field}`], 1);
          assert.deepEqual(found, ['3 phone: 5550000010 -> 5550000020 in_file']);
          const [{ id }] = (await sql.unsafe(`SELECT id FROM ${table}`)) as unknown as [{ id: number }];
          assert.equal((await sql`SELECT production_id FROM ingest.differences`)[0]!['production_id'], id);
        });

      it('is told, too, when its first row says nothing', async () => {
        const { found } = await both('a', ['', '5550000020'], false);
        assert.deepEqual(found, ['3 phone: null -> 5550000020 in_file']);
      });

      it('is compared with what the first row wrote when that updates', async () => {
        await both('a', ['5550000010'], false);
        const values = ['5550000020', '5550000020', '5550000010', '5550000030'];
        const { answer, found } = await both('b', values, true);
        assert.deepEqual([answer['inserted'], answer['updated'], answer['skipped']], [0, 1, 3]);
        assert.equal(answer.effects!['differing_in_file'], undefined);
        assert.deepEqual(found, [
          '2 phone: 5550000010 -> 5550000020 applied',
          // A phone of a judgment is a further one of its plaintiff, who has the former, too.
          ...(kind === 'plaintiffs' ? ['4 phone: 5550000020 -> 5550000010 skipped'] : []),
          '5 phone: 5550000020 -> 5550000030 skipped',
        ]);
      });
    });
  }

  it('give the plaintiff of a known judgment its new phone, and take it back', async () => {
    const first = await openJudgments(sql, { batch: 'a', parts: 1, rows: leads('5550000010') });
    await resolve(sql, first);
    await part(first, false);
    await settleJudgments(sql, first);
    const again = await openJudgments(sql, { batch: 'b', parts: 1, rows: leads('5550000020', '12.00') });
    await resolve(sql, again);
    const { updated, effects } = await part(again, true);
    await settleJudgments(sql, again);
    assert.deepEqual([updated, effects!['updated:phone'], effects!['updated:judgment_amount']], [1, 1, 1]);
    const phones = async () =>
      (
        await sql`SELECT c.value, c.is_primary FROM public.plaintiff_contacts c JOIN public.plaintiffs p ON p.id = c.plaintiff_id
                  WHERE p.name = 'Ann Lee' AND c.kind = 'phone' ORDER BY c.id`
      ).map((row) => Object.values(row).join(' '));
    assert.deepEqual(await phones(), ['5550000010 true', '5550000020 false']);
    await rollback(again.runId);
    assert.deepEqual(await phones(), ['5550000010 true']);
  });
});
