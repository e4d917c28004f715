/** The survey of a file's dates against a plain reading of all of its records. */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { csvKindNamed } from '../../src/kinds/index.ts';
import { cellReader, mapHeader } from '../../src/sources/csv/columns.ts';
import { parseHeader } from '../../src/sources/csv/header.ts';
import { parseChunk } from '../../src/sources/csv/parse.ts';
import { scanFile, type RecordVisitor } from '../../src/sources/csv/scanFile.ts';
import { readRange } from '../../src/sources/file.ts';
import { DateSurvey } from '../../src/staging/dateSurvey.ts';
import { orderOf } from '../../src/values/date.ts';

const COLUMNS = ['Judgment Date', 'Notes', 'Case Number', 'Filing Date', 'Party Name', 'Judgment Amount'];
const DIALECTS = [
  { delimiter: ',', newline: 'lf' },
  { delimiter: '\t', newline: 'lf' },
  { delimiter: ';', newline: 'cr' },
] as const;
const BYTES = {
  'utf-8': (text: string) => Buffer.from(text),
  'windows-1252': (text: string) => Buffer.from(text, 'latin1'),
  'utf-16le': (text: string) => Buffer.from(text, 'utf16le'),
  'utf-16be': (text: string) => Buffer.from(text, 'utf16le').swap16(),
};
const CELLS = [
  ...['01/02/2020', '13/02/2020', '1/31/2020', '31.12.2020', '5-6-2021', '2020-13-01', '2020-01-31', '12/31/20', ''],
  ...['13/02/2020 10:15', ' 31/12/2020 ', '02/30/2020', '1/2', 'see 13/02/2020', '13/02/2020x', '1 / 2 / 2020', 'é'],
  ...['"13/02/2020"', ' "31/12/2020"', '"a ""b"" 13/02/2020"', '="13/02/2020"', '="1,13/02/2020"', '"1/2/2020\n"'],
];

describe('the survey of dates', () => {
  let dir: string;
  let path: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'intake-dates-'));
    path = join(dir, 'file.csv');
  });
  after(() => rm(dir, { recursive: true }));

  it('counts what a plain reading of records that are not broken finds, in any dialect and encoding', async () => {
    const rows = fc.array(fc.array(fc.constantFrom(...CELLS), { minLength: 5, maxLength: 7 }), { maxLength: 30 });
    const encodings = fc.constantFrom(...(Object.keys(BYTES) as (keyof typeof BYTES)[]));
    const map = fc.constantFrom({}, { Notes: 'filing_date' }, { 'Notes + Filing Date': 'filing_date' });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...DIALECTS), encodings, rows, map, async (dialect, encoding, cells, mapped) => {
        const end = dialect.newline === 'cr' ? '\r' : '\n';
        const text = [COLUMNS, ...cells].map((row) => row.join(dialect.delimiter) + end).join('');
        await writeFile(path, BYTES[encoding](text));
        const question = { kind: 'jbi', map: mapped, dateOrder: 'mdy', rowCells: 7 } as const;
        let survey: DateSurvey | undefined;
        const onHeader = (head: Buffer): RecordVisitor => {
          survey = new DateSurvey(parseHeader(head, { ...dialect, encoding, bomBytes: 0 }), dialect, question);
          return survey.visit;
        };
        const options = { ...dialect, encoding, certain: true, bomBytes: 0, chunkBytes: 300, blockBytes: 256 };
        const { chunks } = await scanFile(path, { ...options, onHeader });

        const kind = csvKindNamed('jbi');
        const read = cellReader(kind, mapHeader(COLUMNS, kind, mapped));
        const seen = { mdy: 0, dmy: 0, both: 0 };
        for (const chunk of chunks) {
          const records = parseChunk(await readRange(path, chunk), { ...options, ...chunk, columns: 6, rowCells: 7 });
          for (const { cells: record, error } of records) {
            for (const column of error === undefined ? kind.dates : []) {
              const order = orderOf(read(record, column));
              if (order !== undefined) seen[order]++;
            }
          }
        }
        assert.deepEqual(survey?.seen, seen);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses an order that fits fewer dates than the other, and no other file', () => {
    const survey = (...dates: string[]): DateSurvey => {
      const made = new DateSurvey(COLUMNS, DIALECTS[0], {
        kind: 'jbi',
        map: {},
        dateOrder: 'mdy',
        rowCells: undefined,
      });
      for (const date of dates) {
        const record = Buffer.from(`${date},,C-1,,Ann,1`);
        made.visit(record, 0, record.length);
      }
      return made;
    };
    assert.throws(() => survey('13/01/2020', '1/2/2020', '').requireOrder(), /1 of 2 dates only fit dmy/);
    assert.throws(() => survey('13/01/2020', '01/13/2020').requireOrder(), { code: 'DATE_ORDER_UNCLEAR' });
    survey('13/01/2020', '01/13/2020', '01/14/2020').requireOrder();
    survey('1/2/2020').requireOrder();
    survey().requireOrder();
  });
});
