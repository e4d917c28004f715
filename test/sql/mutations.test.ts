/** 1,000 random changes of what an import left, one at a time: reconcile or verify sees each, and calls an edit by a person an edit. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { importLeads, stageLeads } from '../support/judgmentsImport.ts';
import { addDirectories, forgetProjects } from '../support/projectsBatch.ts';
import { importProjects, stageProjects } from '../support/projectsImport.ts';
import { importSearches, stageSearches } from '../support/searchResultsImport.ts';
import { importRows, stageRows } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

/** Thrown to give everything back. */
const BACK = new Error('back');

/** A table that the run has written rows to. */
interface Written {
  readonly table: string;
  /** Condition of the run's rows; `$run` is its id. */
  readonly of?: string;
  /** Columns that Intake writes. */
  readonly columns: readonly string[];
  /** What a copy of a row has of its own, and so is not refused; a table without is not copied to. */
  readonly copy?: Readonly<Record<string, unknown>>;
  /** Nothing tells a person's edit from another change. */
  readonly unmarked?: true;
  /** A row that is gone is somebody's business: an edit, or (jobs) nothing at all. */
  readonly removal?: 'edit' | 'usual';
}

interface Place {
  readonly runId: string;
  readonly stageId: string;
  readonly parts: number;
  readonly chunks: number;
}

interface Left extends Place {
  readonly changes: number;
  readonly landed: Written;
  readonly statuses: readonly string[];
  readonly production: readonly Written[];
}

type Look = Record<'missing' | 'different' | 'edited' | 'extra', number> & { valid: boolean };
const SOUND: Look = { missing: 0, different: 0, edited: 0, extra: 0, valid: true };

const words = (text: string): string[] => text.trim().split(/\s+/);

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
      const twice = { email: 't@example.com', phone: '5550199000' };
      const all = [
        ...[...rows, { name: 'Twice', ...twice }, { name: 'twice', ...twice }],
        { name: 'Bad', error: 'BAD_EMAIL' },
      ];
      return {
        runId: await importRows(sql, { batch: 'mutated', rows: all }),
        stageId: await stageRows(sql, 'csv', all),
        ...{ changes: 350, parts: 1, chunks: 1 },
        landed: {
          table: 'ingest.plaintiffs_raw',
          columns: words('plaintiff_name contact_email contact_phone raw_payload line_number plaintiff_key dedupe_key'),
          copy: { id: 9999, row_index: 9999, dedupe_key: 'copy' },
        },
        statuses: words('pending promoted skipped failed rolled_back'),
        production: [
          {
            table: 'public.plaintiffs',
            columns: words('name email phone address firm_name source_reference'),
            copy: { id: 9999, dedupe_key: 'copy' },
          },
          {
            table: 'public.plaintiffs',
            columns: words('dedupe_key source_system import_run_id name_hash'),
            unmarked: true,
          },
        ],
      };
    },
    judgments: async () => {
      const leads = Array.from({ length: 8 }, (_, i) => ({
        name: `Lead ${i % 5}`,
        number: `J-${i}`,
        email: `l${i % 5}@example.com`,
      }));
      const batch = { batch: 'mutated', rows: [...leads, leads[0]!] };
      const runId = await importLeads(sql, batch);
      return {
        runId,
        ...{ changes: 200, parts: 7 },
        ...(await stageLeads(sql, batch)),
        landed: {
          table: 'public.raw_simplicity_imports',
          columns: words('raw_data line_number'),
          copy: { id: 9999, row_index: 9999 },
        },
        statuses: words('pending inserted skipped failed rolled_back'),
        production: [
          {
            table: 'public.judgments',
            columns:
              words(`judgment_number judgment_amount judgment_date court_name county state plaintiff_name case_status source_reference
              entry_date source_system plaintiff_id`),
            copy: { id: 9999, judgment_number: 'copy' },
          },
          { table: 'public.judgments', columns: ['import_run_id'], unmarked: true },
          {
            table: 'public.plaintiffs',
            columns: words('name email phone address source_reference'),
            copy: { id: 9999, dedupe_key: 'copy' },
            removal: 'edit',
          },
          {
            table: 'public.plaintiff_contacts',
            columns: ['value'],
            copy: { id: 9999, is_primary: false },
            removal: 'edit',
          },
          { table: 'public.plaintiff_tasks', columns: words('kind status'), copy: { id: 9999 }, removal: 'edit' },
          {
            table: 'public.plaintiff_status_history',
            columns: words('note changed_by import_run_id'),
            unmarked: true,
            removal: 'edit',
          },
          {
            table: 'public.queue_messages',
            of: `message #>> '{payload,import_run_id}' = $run`,
            columns: ['message'],
            copy: { msg_id: 9999 },
            unmarked: true,
            removal: 'usual',
          },
        ],
      };
    },
    projects: async () => {
      await addDirectories(sql);
      const project = (i: number) => ({
        stage_application: `STG-${i}`,
        delivery_partner: i % 2 ? 'Acme' : 'Other',
        deployment_specialist: 'DS_A',
        rm_preferred_username: 'RM_A',
        relationship_manager: 'First Last',
        residential: String(i),
        ...{ commercial: '', essential: '2', premises_count: '3', fod_id: `F${i}`, latitude: '-33.5', longitude: '' },
        ...{ developer_class: 'Class 1', stage_application_created: '2026-02-01', eFscd: '', address: `${i} Road` },
        ...{ development_type: '', build_type: 'SDU' },
      });
      const rows = [1, 2, 3, 4, 5, 5].map(project);
      await importProjects(sql, { batch: 'before', rows: [{ ...project(1), address: 'former' }] });
      const file = { batch: 'mutated', rows };
      const { runId } = await importProjects(sql, file);
      return {
        runId,
        stageId: await stageProjects(sql, file),
        ...{ changes: 200, parts: 3, chunks: 1 },
        landed: {
          table: 'ingest.projects_raw',
          columns:
            words(`line_number stage_application delivery_partner developer_class relationship_manager rm_preferred_username
            deployment_specialist address residential commercial raw_payload efscd latitude`),
          copy: { id: 9999, row_index: 9999 },
        },
        statuses: words('pending inserted updated skipped failed rolled_back'),
        production: [
          {
            table: 'public.projects',
            of: 'staging_id::text = $run',
            columns:
              words(`stage_application delivery_partner_label developer_class deployment_specialist relationship_manager
              rm_preferred_username stage_application_created residential commercial essential premises_count address efscd
              development_type build_type fod_id latitude longitude`),
            copy: { id: 9999, stage_application: 'copy' },
          },
          {
            table: 'public.projects',
            of: 'staging_id::text = $run',
            columns: words('tenant_id partner_org_id deployment_specialist_user_id relationship_manager_user_id'),
            unmarked: true,
          },
          {
            table: 'public.project_membership',
            of: 'project_id IN (SELECT p.id FROM public.projects p WHERE p.staging_id::text = $run)',
            columns: ['member_user_id'],
            copy: { member_partner_org_id: null, member_user_id: '00000000-0000-4000-8000-000000000001' },
            unmarked: true,
            removal: 'edit',
          },
        ],
      };
    },
    'search results': async () => {
      const searches = {
        batch: 'mutated',
        rows: [
          ...[1, 2, 3, 4].map((i) => ({
            ts: '2026-01-02T00:00:00Z',
            number: `PH${i}`,
            image: `image ${i}`,
            expires: '2027-01-01',
          })),
          { ts: '2026-01-02T00:00:00Z', number: 'PH5', imageError: 'IMAGE_MISSING' },
          { ts: '2025-01-02T00:00:00Z', number: 'PH1' },
          { ts: '2026-01-02T00:00:00Z', name: 'Nothing' },
          { ts: '2026-01-02T00:00:00Z', number: 'PH6', error: 'BAD_DATE' },
        ],
      };
      const runId = await importSearches(sql, searches);
      return {
        runId,
        stageId: await stageSearches(sql, searches),
        ...{ changes: 250, parts: 3, chunks: 1 },
        landed: {
          table: 'ingest.search_results_raw',
          columns: words('line_number file_path file_sha256 search_ts image_error image_message image_item'),
          copy: { id: 9999, row_index: 9999 },
        },
        statuses: words('pending inserted updated skipped failed rolled_back'),
        production: [
          {
            table: 'public.search_results',
            columns:
              words(`search_name search_state search_ts license_number license_status license_name license_type address suite city
              state zip issue_date expiration_date result_status meta raw`),
            copy: { id: 9999, license_number: 'copy' },
          },
          {
            table: 'public.images',
            columns: words('sha256 storage_path file_size content_type'),
            copy: { id: 9999, search_result_id: 9998 },
          },
          { table: 'public.search_results', columns: ['dataset_id'], unmarked: true },
        ],
      };
    },
  };

  /** What the two commands find. */
  async function look(tx: postgres.Sql, { runId, stageId, chunks, parts }: Place): Promise<Look> {
    const found = { ...SOUND };
    for (let part = 0; part < parts; part++) {
      const [row] = await tx`SELECT ingest.compare_partition(${runId}, ${stageId}, ${chunks}, ${part}) AS found`;
      const { extra = {}, ...counts } = row!['found'] as Record<'missing' | 'different' | 'edited', number> & {
        extra?: Record<string, number>;
      };
      for (const key of ['missing', 'different', 'edited'] as const) found[key] += counts[key];
      for (const n of Object.values(extra)) found.extra += n;
    }
    const [row] = await tx`SELECT (ingest.reconcile_import_run(${runId})).is_valid AS valid`;
    return { ...found, valid: row!['valid'] as boolean };
  }

  /** What is seen of the database as `change` leaves it; undefined where a constraint refuses that. */
  async function seen(left: Left, change: (tx: postgres.Sql) => Promise<unknown>): Promise<Look | undefined> {
    let found: Look | undefined;
    await sql
      .begin(async (tx) => {
        await change(tx as never);
        found = await look(tx as never, left);
        throw BACK;
      })
      .catch((error: unknown) => {
        if (error !== BACK && !/^23/.test((error as { code?: string }).code ?? '')) throw error;
      });
    return found;
  }

  for (const [name, prepare] of Object.entries(kinds))
    it(`of ${name} is seen by reconcile or verify, and an edit by a person is an edit`, async () => {
      const left = await prepare();
      const { runId, landed, statuses, production } = left;
      assert.deepEqual(await look(sql, left), SOUND);
      let seed = 20261126;
      const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
      const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
      const typeOf = async (table: string, column: string): Promise<string> =>
        (
          await sql`SELECT format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = ${table}::regclass AND attname = ${column}`
        )[0]!['type'] as string;
      const other = async (table: string, column: string): Promise<string> => {
        const type = await typeOf(table, column);
        if (type === 'jsonb')
          return table.endsWith('messages')
            ? `jsonb_set(${column}, '{payload,judgment_id}', '0')`
            : `${column} || '{"x": 1}'`;
        if (type === 'date') return `coalesce(${column}, '2000-01-01') + 1`;
        if (type === 'uuid') return 'gen_random_uuid()';
        if (type.startsWith('timestamp')) return `coalesce(${column}, now()) + interval '1 day'`;
        if (/int|numeric/.test(type)) return `coalesce(${column}, 0) + 1`;
        return `coalesce(${column}, '') || 'x'`;
      };
      const rowsOf = async ({ table, of = 'import_run_id::text = $run' }: Written) =>
        (
          await sql.unsafe(
            `SELECT ctid::text AS at FROM ${table} WHERE ${of.replace('$run', `'${runId}'`)} ORDER BY ctid`,
          )
        ).map(({ at }) => at as string);
      const copyOf = ({ table, copy }: Written, at: string) =>
        `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(x, '${JSON.stringify(copy)}')).* FROM ${table} x WHERE ctid = '${at}'`;
      const landedRows = await rowsOf(landed);
      const made = new Map<Written, readonly string[]>();
      for (const written of production) made.set(written, await rowsOf(written));
      const unseen: string[] = [];
      let tried = 0;
      const what = [
        'value',
        'null',
        'delete',
        'status',
        'counter',
        'another',
        ...words('silent silent edit edit removed copied'),
      ];
      for (let i = 0; i < left.changes; i++) {
        const kind = pick(what);
        const at = pick(landedRows);
        const written = pick(production);
        const row = pick(made.get(written)!);
        let statement: string;
        let sees = (found: Look): boolean => found.missing + found.different + found.extra > 0 || !found.valid;
        const isEdit = ({ edited, ...rest }: Look): boolean =>
          edited > 0 && rest.missing + rest.different + rest.extra === 0 && rest.valid;
        if (kind === 'value') {
          const column = pick(landed.columns);
          statement = `UPDATE ${landed.table} SET ${column} = ${await other(landed.table, column)} WHERE ctid = '${at}'`;
        } else if (kind === 'null') statement = `UPDATE ${landed.table} SET line_number = NULL WHERE ctid = '${at}'`;
        else if (kind === 'delete') statement = `DELETE FROM ${landed.table} WHERE ctid = '${at}'`;
        else if (kind === 'status') {
          const status = pick(statuses);
          statement = `UPDATE ${landed.table} SET status = '${status}' WHERE ctid = '${at}' AND status <> '${status}'`;
          if (
            (await sql.unsafe(`SELECT FROM ${landed.table} WHERE ctid = '${at}' AND status = '${status}'`)).length > 0
          )
            continue;
        } else if (kind === 'counter') {
          const column = pick(words('rows_fetched rows_inserted rows_updated rows_skipped rows_errored'));
          statement = `UPDATE ingest.import_runs SET ${column} = ${column} + ${1 + random(5)} WHERE id = '${runId}'`;
        } else if (kind === 'another') statement = copyOf(landed, at);
        else if (kind === 'removed') {
          if (written.removal === 'usual') continue;
          statement = `DELETE FROM ${written.table} WHERE ctid = '${row}'`;
          if (written.removal && written.table !== 'public.project_membership') sees = isEdit;
        } else if (kind === 'copied') {
          if (!written.copy) continue;
          statement = copyOf(written, row);
        } else {
          if (kind === 'edit' && written.unmarked) continue;
          const column = pick(written.columns);
          statement = `UPDATE ${written.table} SET ${column} = ${await other(written.table, column)} WHERE ctid = '${row}'`;
          const plain = sees;
          if (kind === 'edit') sees = isEdit;
          else if (written.unmarked) sees = (found) => plain(found) || found.edited > 0;
        }
        tried++;
        const found = await seen(left, async (tx) => {
          // A change that no program of a person makes: nothing marks it.
          if (kind !== 'edit') await tx`SET LOCAL session_replication_role = replica`;
          await tx.unsafe(statement);
          await tx`SET LOCAL session_replication_role = origin`;
        });
        if (found && !sees(found)) unseen.push(`${kind}: ${statement}: ${JSON.stringify(found)}`);
      }
      assert.deepEqual(unseen, []);
      assert.ok(tried > left.changes / 2, String(tried));
      for (const written of production.filter(({ removal }) => removal === 'edit')) {
        const found = await seen(left, (tx) =>
          tx.unsafe(`DELETE FROM ${written.table} WHERE ctid = '${made.get(written)![0]!}'`),
        );
        if (found) assert.deepEqual({ ...found, edited: found.edited > 0 }, { ...SOUND, edited: true }, written.table);
      }
      assert.deepEqual(await look(sql, left), SOUND);
    });

  it('is not said of live runs whose rows others share, after any of those is rolled back', async () => {
    let seed = 11;
    const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    const some = <T>(make: (i: number) => T): T[] => Array.from({ length: 2 + random(5) }, () => make(random(6)));
    await forgetProjects(sql);
    await addDirectories(sql);
    for (let round = 0; round < 12; round++) {
      const lead = (i: number) => ({
        name: `Person ${round} ${i % 4}`,
        number: `R${round}-${i}`,
        amount: `${10 + random(3)}.00`,
        ...(random(2) ? { email: `e${round}-${i % 4}@example.com` } : {}),
        ...(random(2) ? { phone: `55${String(round).padStart(2, '0')}00100${i % 4}` } : {}),
      });
      const project = (i: number) => ({
        stage_application: `R${round}-${i}`,
        delivery_partner: ['Acme', 'Other', ''][random(3)]!,
        residential: `${random(3)}`,
      });
      const licence = (i: number) => ({
        ts: `2026-01-0${1 + random(4)}T00:00:00Z`,
        number: `R${round}-${i}`,
        status: ['Active', 'Expired'][random(2)]!,
        ...(random(2) ? { image: `${random(2)}` } : {}),
      });
      const makers: (() => Promise<Place>)[] = [
        async () => {
          const batch = { batch: `leads ${seed}`, rows: some(lead) };
          return { runId: await importLeads(sql, batch), ...(await stageLeads(sql, batch)), parts: 7 };
        },
        async () => {
          const batch = { source: 'simplicity', batch: `people ${seed}`, rows: some(lead) };
          return {
            runId: await importRows(sql, batch),
            stageId: await stageRows(sql, 'simplicity', batch.rows),
            chunks: 1,
            parts: 1,
          };
        },
        async () => {
          const file = { batch: `projects ${seed}`, rows: some(project) };
          return {
            runId: (await importProjects(sql, file)).runId,
            stageId: await stageProjects(sql, file),
            chunks: 1,
            parts: 3,
          };
        },
        async () => {
          const searches = { batch: `searches ${seed}`, rows: some(licence) };
          return {
            runId: await importSearches(sql, searches),
            stageId: await stageSearches(sql, searches),
            chunks: 1,
            parts: 3,
          };
        },
      ];
      const runs: Place[] = [];
      const pair = round % 3;
      for (let i = 0; i < 5; i++) runs.push(await makers[pair === 0 ? random(2) : pair + 1]!());
      for (let i = 0; i < 3; i++) {
        for (const run of runs) assert.deepEqual(await look(sql, run), SOUND, `round ${round}, ${i} rolled back`);
        const [gone] = runs.splice(random(runs.length), 1);
        await sql`SELECT ingest.rollback_import_run(${gone!.runId}, 'test')`;
      }
    }
  });
});
