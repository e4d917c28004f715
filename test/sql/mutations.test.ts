/** 1,000 random changes of what an import left, one at a time: reconcile or verify sees each, and calls an edit by a person an edit. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { importLeads, stageLeads } from '../support/judgmentsImport.ts';
import { importRows, stageRows } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

/** A look at judgments has seven parts. */
const CHANGES: Readonly<Record<string, number>> = { plaintiffs: 800, judgments: 200 };

/** Thrown to give everything back. */
const BACK = new Error('back');

interface Left {
  readonly runId: string;
  readonly stageId: string;
  readonly parts: number;
  readonly chunks: number;
  readonly landed: string;
  /** Landed columns that come from the file. */
  readonly source: readonly string[];
  readonly statuses: readonly string[];
  readonly production: string;
  /** Production columns that Intake writes from the file. */
  readonly written: readonly string[];
  /** Tables of what the run attached: a person may remove it. */
  readonly attached: readonly string[];
}

describe('a change of what an import left', function () {
  this.timeout(120_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  const kinds: Record<string, () => Promise<Left>> = {
    plaintiffs: async () => {
      const rows = ['Ada', 'Berta', 'ada', 'Cleo', 'Dora'].map((name, i) => ({
        name,
        email: `p${i}@example.com`,
        phone: `555010${i}000`,
      }));
      rows.push(
        { name: 'Twice', email: 't@example.com', phone: '5550199000' },
        { name: 'twice', email: 't@example.com', phone: '5550199000' },
      );
      const all = [...rows, { name: 'Bad', error: 'BAD_EMAIL' }];
      const runId = await importRows(sql, { batch: 'mutated', rows: all });
      return {
        runId,
        stageId: await stageRows(sql, 'csv', all),
        parts: 1,
        chunks: 1,
        landed: 'ingest.plaintiffs_raw',
        source: ['plaintiff_name', 'contact_email', 'contact_phone', 'raw_payload', 'line_number', 'plaintiff_key'],
        statuses: ['pending', 'promoted', 'skipped', 'failed', 'rolled_back'],
        production: 'public.plaintiffs',
        attached: [],
        written: ['name', 'email', 'phone', 'address', 'firm_name', 'source_reference'],
      };
    },
    judgments: async () => {
      const leads = Array.from({ length: 8 }, (_, i) => ({
        name: `Lead ${i % 5}`,
        number: `J-${i}`,
        email: `l${i % 5}@example.com`,
      }));
      const batch = { batch: 'mutated', rows: [...leads, leads[0]!] };
      const runId = await importLeads(sql, batch as never);
      return {
        runId,
        parts: 7,
        ...(await stageLeads(sql, batch as never)),
        landed: 'public.raw_simplicity_imports',
        source: ['raw_data', 'line_number'],
        statuses: ['pending', 'inserted', 'skipped', 'failed', 'rolled_back'],
        production: 'public.judgments',
        attached: ['public.plaintiff_contacts', 'public.plaintiff_tasks'],
        written: [
          'judgment_number',
          'judgment_amount',
          'judgment_date',
          'court_name',
          'county',
          'state',
          'plaintiff_name',
          'case_status',
          'source_reference',
        ],
      };
    },
  };

  /** What the two commands find. */
  async function look(tx: postgres.Sql, { runId, stageId, chunks, parts }: Left) {
    const found = { missing: 0, different: 0, edited: 0 };
    for (let part = 0; part < parts; part++) {
      const [row] = await tx`SELECT ingest.compare_partition(${runId}, ${stageId}, ${chunks}, ${part}) AS found`;
      for (const key of ['missing', 'different', 'edited'] as const) found[key] += (row!['found'] as typeof found)[key];
    }
    const [row] = await tx`SELECT (ingest.reconcile_import_run(${runId})).is_valid AS valid`;
    return { ...found, valid: row!['valid'] as boolean };
  }

  for (const [name, prepare] of Object.entries(kinds))
    it(`of ${name} is seen by reconcile or verify, and an edit by a person is an edit`, async () => {
      const left = await prepare();
      const { runId, landed, source, statuses, production, written } = left;
      assert.deepEqual(await look(sql, left), { missing: 0, different: 0, edited: 0, valid: true });
      let seed = 20261126;
      const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
      const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
      const types = new Map(
        (
          await sql`SELECT attrelid::regclass::text AS t, attname AS c, format_type(atttypid, NULL) AS type FROM pg_attribute
                    WHERE attrelid IN (${landed}::regclass, ${production}::regclass) AND attnum > 0`
        ).map(({ t, c, type }) => [`${t as string}.${c as string}`, type as string]),
      );
      const typeOf = (table: string, column: string) =>
        types.get(`${table}.${column}`) ?? types.get(`${table.replace(/^public\./, '')}.${column}`)!;
      const other = (table: string, column: string) => {
        const type = typeOf(table, column);
        if (type === 'jsonb') return `${column} || '{"x": 1}'`;
        if (type === 'date') return `coalesce(${column}, '2000-01-01') + 1`;
        if (/int|numeric/.test(type)) return `coalesce(${column}, 0) + 1`;
        return `coalesce(${column}, '') || 'x'`;
      };
      const landedRows = await sql.unsafe<{ id: number; status: string }[]>(
        `SELECT id, status FROM ${landed} WHERE import_run_id = '${runId}'`,
      );
      const made = (await sql.unsafe(`SELECT id FROM ${production} WHERE import_run_id = '${runId}'`)).map(
        ({ id }) => id as number,
      );
      const unseen: string[] = [];
      const what = ['value', 'null', 'delete', 'status', 'counter', 'production', 'edit', 'removed'] as const;
      for (let i = 0; i < CHANGES[name]!; i++) {
        const kind = pick(what);
        const row = pick(landedRows);
        let statement: string;
        if (kind === 'value') {
          const column = pick(source);
          statement = `UPDATE ${landed} SET ${column} = ${other(landed, column)} WHERE id = ${row.id}`;
        } else if (kind === 'null') statement = `UPDATE ${landed} SET line_number = NULL WHERE id = ${row.id}`;
        else if (kind === 'delete') statement = `DELETE FROM ${landed} WHERE id = ${row.id}`;
        else if (kind === 'status')
          statement = `UPDATE ${landed} SET status = '${pick(statuses.filter((one) => one !== row.status))}' WHERE id = ${row.id}`;
        else if (kind === 'counter') {
          const column = pick(['rows_fetched', 'rows_inserted', 'rows_updated', 'rows_skipped', 'rows_errored']);
          statement = `UPDATE ingest.import_runs SET ${column} = ${column} + ${1 + random(5)} WHERE id = '${runId}'`;
        } else if (kind === 'removed') statement = `DELETE FROM ${production} WHERE id = ${pick(made)}`;
        else {
          const column = pick(written);
          statement = `UPDATE ${production} SET ${column} = ${other(production, column)} WHERE id = ${pick(made)}`;
        }
        await sql
          .begin(async (tx) => {
            // A change that no program of a person makes: nothing marks it.
            if (kind !== 'edit') await tx`SET LOCAL session_replication_role = replica`;
            await tx.unsafe(statement);
            await tx`SET LOCAL session_replication_role = origin`;
            const { missing, different, edited, valid } = await look(tx as never, left);
            const seen =
              kind === 'edit' ? edited > 0 && different + missing === 0 && valid : missing + different > 0 || !valid;
            if (!seen) unseen.push(`${statement}: ${JSON.stringify({ missing, different, edited, valid })}`);
            throw BACK;
          })
          .catch((error: unknown) => {
            // What a constraint refuses does not come to be.
            if (error !== BACK && !/^23/.test((error as { code?: string }).code ?? '')) throw error;
          });
      }
      assert.deepEqual(unseen, []);
      for (const table of left.attached) {
        await sql
          .begin(async (tx) => {
            await tx.unsafe(`DELETE FROM ${table} WHERE import_run_id = '${runId}'`);
            const { edited, ...rest } = await look(tx as never, left);
            assert.ok(edited > 0, table);
            assert.deepEqual(rest, { missing: 0, different: 0, valid: true });
            throw BACK;
          })
          .catch((error: unknown) => {
            if (error !== BACK) throw error;
          });
      }
      assert.deepEqual(await look(sql, left), { missing: 0, different: 0, edited: 0, valid: true });
    });
});
