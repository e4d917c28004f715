/** Locks are taken in one order by all, so that who waits for a lock never waits in a circle. A gate holds a transaction where it matters. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { importSearches, openSearches, resultsOf, upsertPart } from '../support/searchResultsImport.ts';
import { openJudgments, resolve } from '../support/judgmentsImport.ts';
import { openImport, upsert } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';

describe('transactions that meet', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  const waitFor = async (many: number, condition: string) => {
    const count = () => sql.unsafe(`SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND ${condition}`);
    while (Number((await count())[0]!['n']) < many) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  // Locks that are not granted: what pg_stat_activity says of a process may be of before it was woken.
  const waiting = (many: number) => waitFor(many, 'pid <> pg_backend_pid()');
  const atTheGate = () => waitFor(1, `locktype = 'advisory' AND (classid, objid) = (0, 42)`);
  /** Runs `work` while whoever fires the trigger waits. */
  const atGate = async (on: string, when: string, work: () => Promise<void>): Promise<void> => {
    await sql.unsafe(`
      CREATE OR REPLACE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN new; END $$;
      CREATE TRIGGER gate ${on} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION public.gate();`);
    try {
      await sql.begin(async (tx) => {
        await tx`SELECT pg_advisory_xact_lock(42)`;
        await work();
      });
    } finally {
      await sql.unsafe('DROP FUNCTION public.gate() CASCADE');
    }
  };
  const errorsOf = async (all: Promise<unknown>[]) =>
    (await Promise.allSettled(all)).flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));

  it('as parts of three runs with search results of the same keys wait for each other, never in a circle', async () => {
    await importSearches(sql, { rows: [{ number: '0', ts: '2025-01-01' }] });
    const [a, b, c] = await Promise.all(
      [['a', 'y'], ['a', 'y', 'z'], ['y']].map((numbers, i) =>
        openSearches(sql, { parts: 1, rows: numbers.map((number) => ({ number, ts: `2025-01-0${3 - i}` })) }),
      ),
    );
    let running: Promise<unknown>[] = [];
    await atGate('BEFORE INSERT ON public.search_results', `new.license_number = 'z'`, async () => {
      await sql.begin(async (tx) => {
        await upsertPart(tx as unknown as postgres.Sql, c!, 0);
        running = [upsertPart(sql, b!, 0)];
        await waiting(1);
      });
      // Woken, it may still have to take the turn: before that the next one could go ahead of it, and nobody wait for anybody.
      await atTheGate();
      running.push(upsertPart(sql, a!, 0));
      await waiting(2);
    });
    assert.deepEqual(await errorsOf(running), []);
    assert.deepEqual(
      (await resultsOf(sql)).map(({ number, ts }) => `${number} ${ts}`),
      ['0 2025-01-01', 'a 2025-01-03', 'y 2025-01-03', 'z 2025-01-02'],
    );
  });

  it('as rollbacks of runs of two source systems in one dataset wait before they hold a run', async () => {
    const run = (source: string, ts: string) =>
      importSearches(sql, { source, tag: 'both', rows: [{ number: '1', ts }] });
    const runs = [await run('one', '2025-01-02'), await run('two', '2025-01-01')];
    let running: Promise<unknown>[] = [];
    await sql.begin(async (tx) => {
      await tx`SELECT ingest.lock_turn('dataset:both')`;
      running = runs.map((id) => sql`SELECT ingest.rollback_import_run(${id}, 'test')`.execute());
      await waiting(2);
    });
    assert.deepEqual(await errorsOf(running), []);
    assert.deepEqual(await resultsOf(sql, 'both'), []);
  });

  it('as judgments lock known plaintiffs in the order in which an import of plaintiffs adopts them', async () => {
    const people = Array.from({ length: 9 }, (_, i) => ({ name: `Person ${i}` }));
    const rows = people.sort((a, b) =>
      plaintiffKey('simplicity', a.name) < plaintiffKey('simplicity', b.name) ? 1 : -1,
    );
    for (const { name } of rows)
      await sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name) VALUES (${plaintiffKey('simplicity', name)}, 'simplicity', ${name})`;
    const judgments = await openJudgments(sql, {
      parts: 1,
      rows: people.map(({ name }, i) => ({ name, number: `N-${i}` })),
    });
    await resolve(sql, judgments);
    const plain = await openImport(sql, { source: 'simplicity', batch: 'plaintiffs', rows });
    let running: Promise<unknown>[] = [];
    await atGate('BEFORE UPDATE ON public.plaintiffs', `new.name = '${rows[4]!.name}'`, async () => {
      running = [upsert(sql, plain)];
      await atTheGate();
      running.push(
        sql`SELECT ingest.upsert_partition(${judgments.runId}, ${judgments.lease}, ${judgments.stageId}, ${judgments.chunks}, 0)`.execute(),
      );
      await waiting(2);
    });
    assert.deepEqual(await errorsOf(running), []);
    const [owned] = await sql`SELECT count(*) AS n FROM public.plaintiffs WHERE import_run_id = ${plain.runId}`;
    assert.equal(owned!['n'], 9);
  });

  it('as judgments whose plaintiff is deleted in that moment give their locks back before they take others', async () => {
    const add = async (name: string, email: string | null) =>
      (
        await sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name, email) VALUES (${`${name} ${email}`}, 'hand', ${name}, ${email}) RETURNING id`
      )[0]!['id'] as number;
    const namesake = await add('Bob Jones', null);
    const ann = await add('Ann Lee', 'ann@x.co');
    const bob = await add('Bob Jones', 'bob@x.co');
    const rows = [
      { name: 'Ann Lee', email: 'ann@x.co', number: 'D-1' },
      { name: 'Bob Jones', email: 'bob@x.co', number: 'D-2' },
    ];
    const open = await openJudgments(sql, { batch: 'deleted', parts: 1, rows });
    await resolve(sql, open);
    let running: Promise<unknown>[] = [];
    await sql.begin(async (other) => {
      const [holder] =
        await other`SELECT pg_current_xact_id()::text AS xid FROM public.plaintiffs WHERE id = ${namesake} FOR UPDATE`;
      await sql.begin(async (tx) => {
        await tx`DELETE FROM public.plaintiffs WHERE id = ${bob}`;
        running = [
          sql`SELECT ingest.upsert_partition(${open.runId}, ${open.lease}, ${open.stageId}, ${open.chunks}, 0)`.execute(),
        ];
        await waiting(1);
      });
      await waitFor(1, `locktype = 'transactionid' AND transactionid = '${holder!['xid'] as string}'`);
      await other`SELECT FROM public.plaintiffs WHERE id = ${ann} FOR UPDATE`;
    });
    assert.deepEqual(await errorsOf(running), []);
    const found =
      await sql`SELECT plaintiff_id AS id FROM public.judgments WHERE judgment_number IN ('D-1', 'D-2') ORDER BY judgment_number`;
    assert.deepEqual(
      found.map(({ id }) => id as number),
      [ann, namesake],
    );
  });
});
