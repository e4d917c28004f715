/** Names of any script leave the display and tables of a terminal whole. */
import { strict as assert } from 'node:assert';
import { renderProgress } from '../../../src/cli/display/progressBox.ts';
import { renderTable } from '../../../src/cli/display/table.ts';
import { emptyReport, type ImportInput } from '../../../src/messages/imports.ts';

/** Han, Hangul and full-width signs take two cells; of what these tests write all else takes one, combining marks none. */
const cellsOf = (text: string): number =>
  [...text].reduce(
    (sum, sign) => sum + (/\p{Mark}/u.test(sign) ? 0 : /[\u1100-\uffdc]/u.test(sign) && !/[…]/.test(sign) ? 2 : 1),
    0,
  );

describe('a terminal', () => {
  for (const [script, name] of [
    ['Japanese', '東京都の原告'],
    ['Korean', '서울중앙지방법원'],
    ['full-width Latin', 'ＡＢＣ'],
    ['Latin with combining marks', 'Zo\u0308e Mu\u0308ller '],
  ] as const) {
    it(`shows a batch with a name in ${script} in lines no wider than itself`, () => {
      const input = {
        kind: 'plaintiffs',
        mode: 'commit',
        backend: 'postgres',
        batchName: name.repeat(20),
        filename: `${name.repeat(20)}.csv`,
        bytes: 5,
      };
      const lines = renderProgress({
        report: emptyReport(new Date().toISOString()),
        activity: undefined,
        input: input as unknown as ImportInput,
        columns: 60,
        style: (_, text) => text,
      });
      const named = lines.filter((line) => line.includes(name));
      assert.equal(named.length, 2);
      for (const line of named) assert.ok(cellsOf(line.replace(/^\S+ /u, '')) <= 59 - 3, line);
    });

    it(`lines up a table with a name in ${script}`, () => {
      const lines = renderTable(
        [
          { name, status: 'completed' },
          { name: 'plain', status: 'failed' },
        ],
        ['name', 'status'],
      );
      const places = [
        lines[0]!.indexOf('status'),
        ...lines.slice(2).map((line) => cellsOf(line.slice(0, line.search(/completed|failed/)))),
      ];
      assert.equal(new Set(places).size, 1, lines.join('\n'));
    });
  }
});
