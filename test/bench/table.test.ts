import { strict as assert } from 'node:assert';
import { tableOf, type Ratio } from '../../bench/table.ts';

const RATIOS: readonly Ratio[] = [
  { head: 'rate / plain', contender: 'plain-psql', of: 'rate' },
  { head: 'time / own SQL', contender: 'own-sql-psql', of: 'time' },
];

describe('the table of the benchmark', () => {
  it('tells each rate against one contender and each time against another', () => {
    const results = [
      { name: 'intake-postgres', seconds: 20, walMb: 300, workerPeakMb: 250, events: 400 },
      { name: 'plain-psql', seconds: 50, walMb: 500 },
      { name: 'own-sql-psql', seconds: 16, walMb: 300 },
    ];
    const lines = tableOf(results, 1000, RATIOS)
      .split('\n')
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    assert.deepEqual(lines[2], ['intake-postgres', '1000', '20.0', '50', '2.50', '1.25', '250', '400', '300']);
    assert.deepEqual(lines[3], ['plain-psql', '1000', '50.0', '20', '1.00', '3.13', '', '', '500']);
  });

  it('compares rates, not seconds, with a contender that takes fewer rows', () => {
    const results = [
      { name: 'intake-postgres', seconds: 20, walMb: 300 },
      { name: 'plain-psql', rows: 100, seconds: 10, walMb: 5 },
    ];
    const [, , intake, plain] = tableOf(results, 1000, RATIOS).split('\n');
    assert.match(intake as string, /\| +1000 \| +20\.0 \| +50 \| +5\.00 \|/);
    assert.match(plain as string, /\| +100 \| +10\.0 \| +10 \| +1\.00 \|/);
  });

  it('leaves a ratio out where its measure did not run', () => {
    const [, , line] = tableOf([{ name: 'intake-postgres', seconds: 20, walMb: 300 }], 1000, RATIOS).split('\n');
    assert.match(line as string, / 50 \| +\| +\|/);
  });

  it('compares a contender with one that depends on its name, in hundredths of a second where these count', () => {
    const results = [
      { name: 'a-cold', seconds: 2, walMb: 1 },
      { name: 'a-second', seconds: 0.25, walMb: 1 },
      { name: 'b', seconds: 8, walMb: 1 },
    ];
    const ratio: Ratio = {
      head: 'rate / cold',
      contender: (name) => (name === 'b' ? undefined : 'a-cold'),
      of: 'rate',
    };
    const [head, , , second, other] = tableOf(results, 100, [ratio], 'files').split('\n');
    assert.match(head as string, /\| +files \| seconds \| files\/s \| rate \/ cold \|/);
    assert.match(second as string, /\| +100 \| +0\.25 \| +400 \| +8\.00 \|/);
    assert.match(other as string, /\| +8\.00 \| +13 \| +\|/);
  });
});
