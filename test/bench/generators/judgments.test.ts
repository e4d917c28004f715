import { strict as assert } from 'node:assert';
import { parse } from 'csv-parse/sync';
import { judge } from '../../../bench/contenders/rowByRow.ts';
import { countNatures } from '../../../bench/generators/file.ts';
import { HEADER, judgmentRows, type JudgmentNature } from '../../../bench/generators/judgments.ts';
import { simplicity } from '../../../src/kinds/simplicity.ts';
import type { StagedRow } from '../../../src/kinds/kind.ts';

const ROWS = 20_000;

describe('the generated judgments file', () => {
  const rows = [...judgmentRows(7, ROWS)];
  const counts = countNatures(rows);
  const records = parse(`${HEADER.join(',')}\n${rows.map(({ csv }) => csv).join('')}`, { columns: true }) as Record<
    string,
    string
  >[];
  const staged = records.map(judge);
  const value = (row: StagedRow, column: string) => row.values[simplicity.stageColumns.indexOf(column)] ?? undefined;
  const each = function* () {
    for (const [i, row] of staged.entries()) {
      const nature: JudgmentNature = rows[i]!.nature;
      yield {
        i,
        nature,
        row,
        email: value(row, 'email_key'),
        phone: value(row, 'phone'),
        name: value(row, 'name_key')!,
        number: value(row, 'number_key')!,
      };
    }
  };

  it('is the same for the same seed, however many rows follow, and another for another seed', () => {
    assert.deepEqual([...judgmentRows(7, 500)], rows.slice(0, 500));
    assert.notDeepEqual([...judgmentRows(8, 500)], rows.slice(0, 500));
  });

  it('has three new people in four rows, one to two duplicates in a hundred, and some of every other nature', () => {
    assert.equal(counts.get('new'), (ROWS * 3) / 4);
    const duplicates = counts.get('duplicate') ?? 0;
    assert.ok(duplicates > ROWS * 0.01 && duplicates < ROWS * 0.02, `${duplicates} duplicates`);
    for (const nature of ['email', 'phone', 'name'] as const)
      assert.ok((counts.get(nature) ?? 0) > ROWS * 0.03, nature);
    for (const nature of ['missing-name', 'bad-email', 'bad-amount', 'bad-date'] as const)
      assert.ok((counts.get(nature) ?? 0) > 0, nature);
  });

  it('gives rejects exactly where a row is made bad', () => {
    for (const { nature, row } of each())
      assert.equal(row.error !== undefined, nature.startsWith('bad-') || nature.startsWith('missing-'), nature);
  });

  it('lets a row be known by what its nature says, and by nothing that counts before it', () => {
    const seen = {
      email: new Set<string>(),
      phone: new Set<string>(),
      name: new Set<string>(),
      number: new Set<string>(),
    };
    for (const { i, nature, row, email, phone, name, number } of each()) {
      if (row.error) continue;
      assert.equal(seen.number.has(number), nature === 'duplicate', `row ${i}`);
      if (nature === 'duplicate') continue;
      const known =
        email && seen.email.has(email)
          ? 'email'
          : phone && seen.phone.has(phone)
            ? 'phone'
            : seen.name.has(name)
              ? 'name'
              : 'new';
      assert.equal(known, nature, `row ${i}`);
      if (email) seen.email.add(email);
      if (phone) seen.phone.add(phone);
      if (known === 'new') seen.name.add(name);
      seen.number.add(number);
    }
  });

  it('has amounts and dates as people write them, quoted commas and letters beyond ASCII, at the size of a real row', () => {
    const text = rows.map(({ csv }) => csv).join('');
    assert.match(text, /,"\$\d{1,2},\d{3}\.\d\d",/);
    assert.match(text, /,\d\d\/\d\d\/\d{4},/);
    assert.match(text, /,\d{4}-\d\d-\d\d,/);
    assert.match(text, /[À-ž]/);
    const size = Buffer.byteLength(text) / ROWS;
    assert.ok(size > 230 && size < 330, `${size} bytes a row`);
  });
});
