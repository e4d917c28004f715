import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { addDirectories, forgetProjects, merge, numbersOf } from '../support/projectsBatch.ts';
import { withDatabase } from '../support/suite.ts';

const A = [
  { stage_application: 'S1', address: 'a1', delivery_partner: 'Nobody' },
  { stage_application: 'S2', address: 'a2', fod_id: 'f' },
];
const B = [{ stage_application: 'S1', address: 'b1' }];

describe('the same batch of projects again', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  beforeEach(async () => {
    await forgetProjects(sql);
    await addDirectories(sql);
  });

  const state = async (): Promise<unknown[][]> =>
    (
      await sql`
    SELECT stage_application, address, fod_id FROM public.projects ORDER BY 1`
    ).map((row) => Object.values(row));
  /** Changes with every write to a project. */
  const writes = async (): Promise<string> =>
    JSON.stringify(await sql`SELECT stage_application, xmin::text, ctid::text FROM public.projects ORDER BY 1`);

  it('has the memoized metrics, whatever the order of its rows and its id, and writes nothing', async () => {
    const first = await merge(sql, A);
    const before = await writes();
    assert.deepEqual(await merge(sql, [A[1]!, A[0]!], { batch: 'another id', correlation: randomUUID() }), first);
    assert.equal(await writes(), before);
    const [staged] = await sql`SELECT validation -> 'metrics' AS metrics FROM public.staging_imports`;
    assert.deepEqual(staged!['metrics'], first);
    assert.equal((await sql`SELECT FROM public.import_anomalies`).length, 1);
  });

  it('is merged once by 100 calls at once, which all get the same metrics', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({
      stage_application: `S${i}`,
      deployment_specialist: 'nobody',
    }));
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => merge(sql, rows, { batch: `b${i % 3}` })));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.deepEqual(numbersOf(answers[0]!), [50, 0, 0, 0, 50]);
    assert.equal((await sql`SELECT DISTINCT xmin::text FROM public.projects`).length, 1);
    assert.equal((await sql`SELECT FROM public.import_anomalies`).length, 50);
    assert.equal((await sql`SELECT FROM public.staging_imports`).length, 1);
  });

  it('of other tenants is a batch of their own', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => merge(sql, A, { tenant: `T${i % 10}` })));
    for (const answer of answers) assert.deepEqual(numbersOf(answer), [2, 0, 0, 0, 1]);
    assert.equal(new Set(answers.map(({ staging_id }) => staging_id)).size, 10);
    assert.equal((await sql`SELECT FROM public.projects`).length, 20);
  });

  it('after another batch that touched its projects is merged again: A, B, A leaves the state of A', async () => {
    const first = await merge(sql, A);
    await merge(sql, B);
    assert.deepEqual(await state(), [
      ['S1', 'b1', null],
      ['S2', 'a2', 'f'],
    ]);
    const again = await merge(sql, A, { batch: 'again' });
    assert.deepEqual(await state(), [
      ['S1', 'a1', null],
      ['S2', 'a2', 'f'],
    ]);
    assert.deepEqual([again.staging_id, ...numbersOf(again)], [first.staging_id, 0, 2, 0, 0, 1]);
    assert.deepEqual([...(await sql`SELECT batch_id FROM public.import_anomalies`)], [{ batch_id: 'again' }]);
    const before = await writes();
    assert.deepEqual(await merge(sql, A), again);
    assert.equal(await writes(), before);
    await merge(sql, B);
    assert.deepEqual(await state(), [
      ['S1', 'b1', null],
      ['S2', 'a2', 'f'],
    ]);
    await merge(sql, [{ stage_application: 'S9' }]);
    const untouched = await writes();
    await merge(sql, B);
    assert.equal(await writes(), untouched);
  });

  it('any sequence of batches ends in the state of plainly applying each', async () => {
    const batches = [
      A,
      B,
      [
        { stage_application: 'S2', address: 'c2' },
        { stage_application: 'S3', address: 'c3' },
      ],
      [{ stage_application: 'S3', address: 'd3' }],
    ];
    const expected = new Map<string, string>();
    for (let i = 0, next = 7; i < 40; i++, next = (next * 31 + 11) % 101) {
      const batch = batches[next % 4]!;
      await merge(sql, batch);
      for (const row of batch) expected.set(row.stage_application, row.address);
      assert.deepEqual(
        (await state()).map(([key, address]) => [key, address]),
        [...expected].sort(),
      );
    }
  });

  for (const [name, change] of [
    [
      'partner_normalization',
      "INSERT INTO public.partner_normalization (source_label, partner_org_id) SELECT 'Nobody', min(id::text)::uuid FROM public.partner_org",
    ],
    ['ds_directory', "UPDATE public.ds_directory SET preferred_username = 'DS_NEW' WHERE preferred_username = 'DS_A'"],
    ['rm_directory', 'DELETE FROM public.rm_directory'],
    ['a truncated directory', 'TRUNCATE public.ds_directory'],
  ] as const) {
    it(`after a change of ${name} is resolved again, and its anomalies replaced`, async () => {
      const rows = [
        {
          stage_application: 'S1',
          delivery_partner: 'Nobody',
          deployment_specialist: 'DS_A',
          relationship_manager: 'First Last',
        },
      ];
      const first = await merge(sql, rows);
      assert.deepEqual(numbersOf(first), [1, 0, 0, 2, 1]);
      await sql.unsafe(change);
      const second = await merge(sql, rows);
      assert.equal(second.anomalies_count, name === 'partner_normalization' ? 0 : 2);
      assert.equal((await sql`SELECT FROM public.import_anomalies`).length, second.anomalies_count);
      assert.deepEqual(await merge(sql, rows), second);
    });
  }

  it('notices a change that was not committed when it was merged, and editors do not wait for each other', async () => {
    const editor = await sql.reserve();
    try {
      await editor`BEGIN`;
      await editor`INSERT INTO public.partner_normalization (source_label, partner_org_id) SELECT 'Nobody', min(id::text)::uuid FROM public.partner_org`;
      assert.equal((await merge(sql, A)).anomalies_count, 1);
      await sql`INSERT INTO public.ds_directory (preferred_username) VALUES ('somebody else')`;
      assert.equal((await merge(sql, A)).anomalies_count, 1);
      await editor`COMMIT`;
    } finally {
      editor.release();
    }
    assert.equal((await merge(sql, A)).anomalies_count, 0);
  });

  it('waits for the merge of its tenant that is at work, and for no other', async () => {
    const holder = await sql.reserve();
    try {
      await holder`BEGIN`;
      await holder`SELECT public.fn_projects_import_merge('TELCO', 's', 'b', ${sql.json(B)}, NULL)`;
      let done = false;
      const waiting = merge(sql, A).then((metrics) => {
        done = true;
        return metrics;
      });
      assert.deepEqual(numbersOf(await merge(sql, A, { tenant: 'OTHER' })), [2, 0, 0, 0, 1]);
      assert.equal(done, false);
      await holder`COMMIT`;
      assert.deepEqual(numbersOf(await waiting), [1, 1, 0, 0, 1]);
    } finally {
      holder.release();
    }
  });

  it('is merged when a requester staged it beforehand without metrics', async () => {
    const [staged] = await sql`
      INSERT INTO public.staging_imports (batch_id, tenant_id, raw, checksum, batch_checksum, validation)
      SELECT gen_random_uuid(), 'TELCO', r, public.fn_rows_checksum(r), public.fn_rows_checksum(r), '{"note": "mine"}' FROM (SELECT ${sql.json(A)}::jsonb AS r) x RETURNING id`;
    const metrics = await merge(sql, A);
    assert.deepEqual([metrics.staging_id, ...numbersOf(metrics)], [staged!['id'], 2, 0, 0, 0, 1]);
    assert.equal((await sql`SELECT validation ->> 'note' AS note FROM public.staging_imports`)[0]!['note'], 'mine');
  });
});
