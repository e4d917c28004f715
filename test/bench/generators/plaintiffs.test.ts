import { strict as assert } from 'node:assert';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { countNatures, writeRows } from '../../../bench/generators/file.ts';
import { cleanedRows, COLUMNS, plaintiffsRows } from '../../../bench/generators/plaintiffs.ts';

const ROWS = 20_000;

describe('the generated plaintiffs file', () => {
  const rows = [...plaintiffsRows(7, ROWS)];
  const cellsOf = (csv: string): string[] => (parse(csv, { relax_column_count: true }) as string[][])[0] ?? [];
  const keyOf = (csv: string): string =>
    cellsOf(csv)
      .filter((_, i) => i === 0 || i === 3)
      .map((cell) => cell.trim().toLowerCase())
      .join('|');

  it('is the same for the same seed, however many rows follow, and another for another seed', () => {
    assert.deepEqual([...plaintiffsRows(7, 500)], rows.slice(0, 500));
    assert.notDeepEqual([...plaintiffsRows(8, 500)], rows.slice(0, 500));
  });

  it('repeats earlier plaintiffs in a twentieth of its rows, never byte for byte', () => {
    const written = new Map<string, string>();
    let duplicates = 0;
    for (const { nature, csv } of rows) {
      const key = keyOf(csv);
      if (nature === 'new') assert.ok(!written.has(key));
      if (nature === 'new') written.set(key, cellsOf(csv)[0] as string);
      if (nature !== 'duplicate') continue;
      duplicates++;
      assert.ok(written.has(key));
      assert.notEqual(cellsOf(csv)[0], written.get(key));
    }
    assert.ok(duplicates > ROWS * 0.04 && duplicates < ROWS * 0.06, `${duplicates} duplicates`);
  });

  it('has a few rows of each bad kind, and only the ragged ones lack or exceed columns', () => {
    const natures = new Set(rows.map(({ nature }) => nature));
    for (const bad of ['missing-name', 'bad-email', 'bad-phone', 'ragged'] as const) assert.ok(natures.has(bad), bad);
    for (const { nature, csv } of rows) assert.equal(cellsOf(csv).length !== COLUMNS.length, nature === 'ragged');
  });

  it('has quoted commas, quoted newlines and letters beyond ASCII, at the size of a real row', () => {
    const text = rows.map(({ csv }) => csv).join('');
    assert.match(text, /"[^"\n]*,[^"\n]*"/);
    assert.match(text, /"[^"\n,]*\n[^"]*"/);
    assert.match(text, /[À-ž]/);
    const size = Buffer.byteLength(text) / ROWS;
    assert.ok(size > 130 && size < 180, `${size} bytes a row`);
  });

  it('is written whole, and without ragged rows where COPY shall read it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'intake-generate-'));
    try {
      const path = join(dir, 'plaintiffs.csv');
      await writeRows(path, COLUMNS, rows);
      assert.equal(await readFile(path, 'utf8'), `${COLUMNS.join(',')}\n${rows.map(({ csv }) => csv).join('')}`);
      await writeRows(path, COLUMNS, cleanedRows(7, ROWS));
      assert.equal(parse(await readFile(path)).length, 1 + ROWS - (countNatures(rows).get('ragged') ?? 0));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
