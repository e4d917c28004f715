import assert from 'node:assert/strict';
import { besideBaseline } from '../../bench/baseline.ts';
import baseline from '../../bench/baseline.json' with { type: 'json' };
import { plaintiffs } from '../../bench/subjects/plaintiffs.ts';

describe('a benchmark beside the last release', () => {
  const known = baseline.ratios.find(
    ({ subject, contender }) => subject === 'plaintiffs' && contender === 'intake-postgres',
  )!;
  /** A run whose ratio is so many times that of the last release. */
  const run = (times: number, rows = known.rows) =>
    besideBaseline(
      plaintiffs,
      [
        { name: 'plain-psql', seconds: 100 * times * known.value, walMb: 0, counts: {} },
        { name: 'intake-postgres', seconds: 100, walMb: 0, counts: {} },
      ],
      rows,
    );

  it('tells both ratios, and fails when one has lost more than half', () => {
    const { sentences, worse } = run(1);
    assert.deepEqual(
      [sentences, worse],
      [
        [`intake-postgres, rate / plain: ${known.value.toFixed(2)}, ${known.value.toFixed(2)} at ${baseline.version}`],
        false,
      ],
    );
    assert.deepEqual([run(0.51).worse, run(0.49).worse, run(3).worse], [false, true, false]);
  });

  it('compares runs of as many rows alone', () => {
    assert.deepEqual(run(0.1, known.rows + 1), { sentences: [], worse: false });
  });
});
