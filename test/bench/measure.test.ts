import { strict as assert } from 'node:assert';
import { differences } from '../../bench/measure.ts';

describe('the comparison of contenders', () => {
  const expected = (rows: number) => ({ people: rows / 2 });

  it('finds nothing where all agree with each other and the file, each on its own rows', () => {
    const results = [
      { name: 'a', counts: { people: 50, jobs: 7 } }, { name: 'b', counts: { people: 50, jobs: 7 } }, { name: 'part', rows: 10, counts: { people: 5, jobs: 1 } },
      { name: 'silent' },
    ];
    assert.deepEqual(differences(results, 100, expected), []);
  });

  it('names who differs from the file or from another contender, and in what', () => {
    const results = [{ name: 'a', counts: { people: 50, jobs: 7 } }, { name: 'b', counts: { people: 49, jobs: 8 } }, { name: 'part', rows: 10, counts: { people: 6 } }];
    assert.deepEqual(differences(results, 100, expected), [
      'people of 100 rows: the file 50, a 50, b 49', 'jobs of 100 rows: a 7, b 8', 'people of 10 rows: the file 5, part 6',
    ]);
  });
});
