import { strict as assert } from 'node:assert';
import { tableOf } from '../../bench/table.ts';

describe('the table of the benchmark', () => {
  it('tells each rate against the plain script and each time against own SQL', () => {
    const results = [
      { name: 'intake-postgres', seconds: 20, walMb: 300, workerPeakMb: 250, events: 400 },
      { name: 'plain-psql', seconds: 50, walMb: 500 },
      { name: 'own-sql-psql', seconds: 16, walMb: 300 },
    ];
    const lines = tableOf(results, 1000).split('\n').map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
    assert.deepEqual(lines[2], ['intake-postgres', '20.0', '50', '2.50', '1.25', '250', '400', '300']);
    assert.deepEqual(lines[3], ['plain-psql', '50.0', '20', '1.00', '3.13', '', '', '500']);
  });

  it('leaves a ratio out where its measure did not run', () => {
    const [, , line] = tableOf([{ name: 'intake-postgres', seconds: 20, walMb: 300 }], 1000).split('\n');
    assert.match(line as string, / 50 \| +\| +\|/);
  });
});
