import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { ERRORS, ROW_ERRORS } from '../../src/errors.ts';
import { ALL_ROW_ERRORS, csvKindNamed, KINDS, kindNamed } from '../../src/kinds/index.ts';
import { mapHeader, placesOf } from '../../src/sources/csv/columns.ts';
import { projectFile } from '../docs/environment.ts';
import { rowsOf } from './vendorFiles.ts';

const cells = (line: string): string[] => line.split('|').map((cell) => cell.trim());
const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);

describe('the registry of kinds', () => {
  const sources = globSync('src/**/*.ts').map((path) => ({ path, text: readFileSync(path, 'utf8') }));

  for (const { name } of KINDS) {
    it(`has all words of ${name} in one file: no other file of src names it`, () => {
      const words = new RegExp(`(['"\`])${name}\\1`);
      const places = sources.filter(({ text }) => words.test(text)).map(({ path }) => path);
      assert.equal(places.length, 1, `'${name}' stands in ${places.join(', ')}`);
      assert.match(places[0]!, /^src\/kinds\/[^/]+\.ts$/);
    });
  }

  it('gives every kind a name, aliases and a colour of its own', () => {
    const names = KINDS.flatMap(({ name, aliases }) => [name, ...aliases]);
    assert.equal(new Set(names).size, names.length, names.join(', '));
    for (const page of ['light', 'dark'] as const) {
      const colours = KINDS.map(({ colour }) => colour[page]);
      assert.equal(new Set(colours).size, colours.length, colours.join(', '));
    }
  });

  it('tells the kinds of a family from each other', () => {
    const families = Map.groupBy(
      KINDS.filter((kind) => kind.reads === 'csv' && kind.family !== undefined).map(({ name }) => csvKindNamed(name)),
      ({ family }) => family,
    );
    assert.ok(families.size > 0);
    for (const members of families.values())
      for (const { name, confusableWith } of members)
        assert.deepEqual(
          confusableWith?.map((other) => other.name),
          members.map((member) => member.name).filter((other) => other !== name),
        );
  });

  it('refuses the sample of every other kind, and says which kind it is', () => {
    const csv = KINDS.filter((kind) => kind.reads === 'csv');
    const headerOf = (sample: string): string[] =>
      readFileSync(new URL(`../../samples/${sample}`, import.meta.url), 'utf8')
        .split(/\r?\n/, 1)[0]!
        .split(',');
    for (const kind of csv) {
      const header = headerOf(kind.sample);
      for (const asked of csv) {
        if (asked === kind) assert.doesNotThrow(() => mapHeader(header, asked));
        else
          assert.throws(
            () => mapHeader(header, asked),
            {
              code: 'MISSING_COLUMNS',
              message: /these are the headers of a/,
              remedy: new RegExp(`intake import ${kind.name} FILE`),
            },
            `${kind.name} as ${asked.name}`,
          );
      }
    }
    // What two kinds could be, is what it is said to be; a map says that somebody has looked.
    const people = [
      'plaintiff_name',
      'email',
      'phone',
      'firm_name',
      'county',
      'state',
      'case_number',
      'judgment_amount',
    ];
    assert.doesNotThrow(() => mapHeader(people, csvKindNamed('plaintiffs')));
    const leads = headerOf('simplicity.csv');
    assert.doesNotThrow(() => mapHeader(leads, csvKindNamed('plaintiffs'), { PlaintiffName: 'plaintiff_name' }));
    assert.throws(() => mapHeader(leads, csvKindNamed('plaintiffs')), {
      remedy: /--map "PlaintiffName=plaintiff_name"/,
    });
  });

  it('takes the words of lists that people keep by hand', () => {
    const left = (kind: string, words: string): string[] => {
      const header = words.split(',');
      const taken = placesOf(mapHeader(header, csvKindNamed(kind)));
      return header.filter((_, place) => !taken.includes(place));
    };
    assert.deepEqual(left('plaintiffs', 'Customer Name,Primary Contact,Email Addr,Tel.,Postal Address'), []);
    assert.deepEqual(left('plaintiffs', 'full_name,contact person,e_mail,phone_no,postal_address'), []);
    assert.deepEqual(left('simplicity', 'Lead ID,Client Name,Judgement Amount,Judgement Date,Mobile'), []);
    assert.deepEqual(left('jbi', 'Case No,Client Name,Judgement Amount,Date of Judgment,Telephone No.'), []);
  });

  it('names no row error twice, and none as a run may fail with, but for the state of a file', () => {
    const own = KINDS.flatMap(({ rowErrors }) => Object.keys(rowErrors));
    assert.equal(new Set(own).size, own.length);
    assert.deepEqual(
      own.filter((code) => code in ROW_ERRORS || code in ERRORS),
      [],
    );
  });

  for (const kind of KINDS.filter(({ reads }) => reads === 'csv').map(({ name }) => csvKindNamed(name))) {
    it(`reads the sample of ${kind.name}, and every reject of it has a sentence`, () => {
      const rows = rowsOf(kind, projectFile(`samples/${kind.sample}`));
      assert.ok(rows.length > 0);
      for (const { row, error, message } of rows) {
        assert.equal(row.values.length, kind.stageColumns.length);
        if (error !== undefined) assert.ok(message?.includes(ALL_ROW_ERRORS[error]!), error);
      }
    });

    it(`has every column of ${kind.name} and its other headers in the documentation`, () => {
      const pages = ['imports', 'judgments', 'projects', 'kinds'].map((page) => {
        try {
          return projectFile(`docs/${page}.md`);
        } catch {
          return '';
        }
      });
      const known = new Set(pages.flatMap(quoted).map((word) => word.toLowerCase().replaceAll(/[\s_-]/g, '')));
      const missing = kind.columns
        .flatMap(({ name, aliases }) => [name, ...aliases])
        .filter((header) => !known.has(header.toLowerCase().replaceAll(/[\s_-]/g, '')));
      assert.deepEqual(missing, []);
    });
  }

  it('is the table of kinds in docs/imports.md', () => {
    const [table] = /(?<=^\| kind \|.*\n\|[-|]+\n)(?:^\|.*\n)+/m.exec(projectFile('docs/imports.md')) ?? [];
    assert.deepEqual(
      table!
        .trimEnd()
        .split('\n')
        .map(cells)
        .map(([, kind, aliases, reads, , source]) => [quoted(kind!), quoted(aliases!), reads!, quoted(source!)]),
      KINDS.map(({ name, aliases, reads, defaultSource }) => [
        [name],
        [...aliases],
        reads === 'csv' ? 'CSV' : 'a directory of JSON and images',
        [defaultSource],
      ]),
    );
  });

  it('finds a kind by name and alias, and lists all for an unknown one', () => {
    for (const kind of KINDS) for (const word of [kind.name, ...kind.aliases]) assert.equal(kindNamed(word), kind);
    assert.throws(() => kindNamed('nothing'), {
      code: 'USAGE',
      remedy: new RegExp(KINDS.map(({ name }) => name).join(', ')),
    });
  });
});
