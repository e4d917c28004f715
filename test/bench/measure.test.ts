import { strict as assert } from 'node:assert';
import type { Client } from 'pg';
import { differences, measure } from '../../bench/measure.ts';
import type { Contender, Course } from '../../bench/contenders/contender.ts';

describe('a round over the contenders', () => {
  it('empties the tables before each, but for one that goes on from what another left', async () => {
    const steps: string[] = [];
    const query = async (text: string) => {
      if (text.startsWith('truncate ingest.import_runs')) steps.push('emptied');
      return { rows: [{ bytes: '0' }] };
    };
    const contender = (name: string, follows?: string): Contender => ({
      name,
      about: '',
      missing: () => undefined,
      ...(follows ? { follows } : {}),
      run: async () => (steps.push(name), { seconds: 1 }),
    });
    const course = { database: { query } as unknown as Client } as Course;
    const results = await measure(
      [contender('cold'), contender('second', 'cold'), contender('other')],
      course,
      1,
      () => undefined,
    );
    assert.deepEqual(steps, ['emptied', 'cold', 'second', 'emptied', 'other']);
    assert.deepEqual(
      results.map(({ name }) => name),
      ['cold', 'second', 'other'],
    );
  });
});

describe('the comparison of contenders', () => {
  const expected = (rows: number) => ({ people: rows / 2 });

  it('finds nothing where all agree with each other and the file, each on its own rows', () => {
    const results = [
      { name: 'a', counts: { people: 50, jobs: 7 } },
      { name: 'b', counts: { people: 50, jobs: 7 } },
      { name: 'part', rows: 10, counts: { people: 5, jobs: 1 } },
      { name: 'silent' },
    ];
    assert.deepEqual(differences(results, 100, expected), []);
  });

  it('names who differs from the file or from another contender, and in what', () => {
    const results = [
      { name: 'a', counts: { people: 50, jobs: 7 } },
      { name: 'b', counts: { people: 49, jobs: 8 } },
      { name: 'part', rows: 10, counts: { people: 6 } },
    ];
    assert.deepEqual(differences(results, 100, expected), [
      'people of 100 rows: the file 50, a 50, b 49',
      'jobs of 100 rows: a 7, b 8',
      'people of 10 rows: the file 5, part 6',
    ]);
  });
});
