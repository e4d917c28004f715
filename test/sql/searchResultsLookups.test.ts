import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { withDatabase } from '../support/suite.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

/** The documented look-ups, each with the index that answers it. */
const LOOKUPS = {
  'a pharmacy in a dataset': [
    'search_results_name_idx',
    `SELECT * FROM public.search_results WHERE dataset_id = 3 AND search_name = 'Pharmacy 7'`,
  ],
  'the results of a dataset in a state': [
    'search_results_license_uniq',
    `SELECT * FROM public.search_results WHERE dataset_id = 3 AND search_state = 'S5'`,
  ],
  'a licence in a dataset': [
    'search_results_license_uniq',
    `SELECT * FROM public.search_results WHERE dataset_id = 3 AND search_state = 'S5' AND license_number = 'L77'`,
  ],
  'a licence wherever it was found': [
    'search_results_license_idx',
    `SELECT * FROM public.search_results WHERE license_number = 'L77'`,
  ],
  'licences that expire in a range': [
    'search_results_expiration_idx',
    `SELECT * FROM public.search_results WHERE expiration_date BETWEEN '2025-03-01' AND '2025-03-03' ORDER BY expiration_date`,
  ],
  'results of a dataset without an image': [
    'images_dataset_idx',
    `
    SELECT r.* FROM public.search_results r WHERE r.dataset_id = 3
    AND NOT EXISTS (SELECT FROM public.images i WHERE i.dataset_id = r.dataset_id AND i.search_result_id = r.id)`,
  ],
  'the image of a result': ['images_search_result_uniq', 'SELECT * FROM public.images WHERE search_result_id = 4711'],
  'results of an image': ['images_sha256_idx', `SELECT search_result_id FROM public.images WHERE sha256 = md5('77')`],
} as const;

describe('the documented look-ups of search results', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  before(async () => {
    await sql`INSERT INTO public.datasets (id, kind, tag) SELECT d, 'states', 'tag ' || d FROM generate_series(1, 20) d`;
    await sql`
      INSERT INTO public.search_results (id, dataset_id, search_name, search_state, search_ts, license_number, expiration_date)
      SELECT n, 1 + n % 20, 'Pharmacy ' || n % 499, 'S' || n % 23, '2025-01-01', 'L' || n / 20, date '2025-01-01' + n % 1000 FROM generate_series(1, 30000) n`;
    await sql`
      INSERT INTO public.images (dataset_id, search_result_id, sha256, storage_path, storage_type)
      SELECT dataset_id, id, md5(id::text), 'p', 'local' FROM public.search_results WHERE id % 100 <> 0`;
    await sql`ANALYZE public.search_results, public.images`;
  });

  for (const [title, [index, query]] of Object.entries(LOOKUPS)) {
    it(`${title}: by ${index}, reading no table as a whole`, async () => {
      const [row] = await sql.unsafe(`EXPLAIN (FORMAT JSON) ${query}`);
      const nodes: Plan[] = [];
      const walk = (plan: Plan): void => {
        nodes.push(plan);
        plan.Plans?.forEach(walk);
      };
      walk((row!['QUERY PLAN'] as [{ Plan: Plan }])[0].Plan);
      assert.ok(
        nodes.some((node) => node['Index Name'] === index),
        JSON.stringify(nodes.map((node) => [node['Node Type'], node['Index Name']])),
      );
      assert.deepEqual(
        nodes.filter((node) => node['Node Type'] === 'Seq Scan'),
        [],
      );
    });
  }
});
