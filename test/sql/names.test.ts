/** Names that may be of one, and names that may not. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { withDatabase } from '../support/suite.ts';

const SAME = [
  ['Ann Lee', 'ANN  LEE'],
  ['Smith, John', 'John Smith'],
  ['Smith, John, Jr.', 'John Smith Jr'],
  ['José Núñez', 'Jose Nunez'],
  ["Sean O'Brien", 'Sean O’Brien'],
  ["Sean O'Brien", 'O’Brien, Sean'],
  ['Smith', 'John Smith'],
  ['Acme', 'Acme Holdings LLC'],
  ['Acme, LLC', 'Acme L.L.C.'],
  ['J Smith', 'John Smith'],
  ['J. R. Smith', 'John Robert Smith'],
  ['John Smith', 'John Q. Smith'],
  ['Smith, J.', 'John Smith'],
  ['Tom Reed', 'Thomas Reed'],
  ['Bill Reed', 'William Reed'],
  ['Peggy Reed', 'Margaret A Reed'],
  ['Jon Smith', 'John Smith'],
  ['John Smyth', 'John Smith'],
  ['Micheal Stone', 'Michael Stone'],
  ['Acme Holding LLC', 'Acme Holdings LLC'],
  ['McDonald Farms', 'Mc Donald Farms'],
  ['Mr. John Smith', 'John Smith'],
  ['John Smith 2nd', 'John Smith II'],
  ['Jane Smith-Jones', 'Jane Smith'],
  ['Acme Corp', 'Acme Corporation'],
  ['Acme & Co', 'Acme and Company'],
  ['Bank of America, N.A.', 'Bank of America NA'],
  ['Smith, John, M.D.', 'John Smith MD'],
  ['John Smith c/o Jane Doe', 'John Smith'],
  ['Acme LLC, Attn: Ann Lee', 'Acme LLC'],
  ['Łukasz Sørensen', 'Lukasz Sorensen'],
  ['Wm. Reed', 'William Reed'],
  ['Catherine Reed', 'Katherine Reed'],
  ['Maria de la Cruz', 'Dela Cruz, Maria'],
  ['Patricia Reed', 'Pat Reed'],
  ['Samantha Reed', 'Sam Reed'],
  ['Anne Browne', 'Ann Browne'],
  ['Charlie Greene', 'Charlie Green'],
] as const;
const OTHERS = [
  ['Boris Lund', 'Gale Hart'],
  ['Dana Pike', 'John Reed'],
  ['Jane Smith', 'John Smith'],
  ['Mary Smith', 'Mark Smith'],
  ['Paul Smith', 'Paula Smith'],
  ['John Smith', 'John Smith Jr'],
  ['John Smith Sr', 'John Smith, Jr.'],
  ['John Smith II', 'John Smith III'],
  ['John A Smith', 'John B Smith'],
  ['John Smith', 'John Reed'],
  ['Unit 1 LLC', 'Unit 2 LLC'],
  ['Acme LLC', 'Apex LLC'],
  ['A LLC', 'Acme LLC'],
  ['Acme East Holdings', 'Acme West Holdings'],
  ['Acme 12 LLC', 'Acme 13 LLC'],
  ['王小明', '王小红'],
  ['--', '??'],
  ['Jane Doe c/o Acme LLC', 'Acme LLC'],
  ['John Smith, care of Jane Doe', 'Jane Doe'],
  ...[
    'Mario Maria',
    'Julian Julia',
    'Joseph Josephine',
    'Daniel Danielle',
    'Martin Martina',
    'Louis Louise',
    'Don Donna',
  ]
    .concat([
      'Francis Frances',
      'Patrick Patricia',
      'Christian Christine',
      'George Georgette',
      'Victor Victoria',
      'Emil Emily',
    ])
    .map((couple) => couple.split(' ').map((name) => `${name} Reed`) as [string, string]),
] as const;

describe('names', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  const agree = async (pairs: readonly (readonly [string, string])[]) =>
    await sql<{ a: string; b: string; agree: boolean; back: boolean; near: boolean }[]>`
      SELECT p.a, p.b, ingest.names_compatible(p.a, p.b) AS agree, ingest.names_compatible(p.b, p.a) AS back,
             ingest.name_keys(ingest.name_words(p.a), false) && ingest.name_keys(ingest.name_words(p.b), true)
             AND ingest.name_keys(ingest.name_words(p.b), false) && ingest.name_keys(ingest.name_words(p.a), true) AS near
      FROM jsonb_to_recordset(${sql.json(pairs.map(([a, b]) => ({ a, b })))}) AS p (a text, b text)`;

  it('are compatible when equal, contained, with an initial, a short form or a small slip, and such names are found by their keys', async () => {
    assert.deepEqual(
      (await agree(SAME)).filter((row) => !row.agree || !row.back || !row.near),
      [],
    );
  });

  it('that agree are found by their keys whatever they are made of, and others seldom', async () => {
    const [row] = await sql<{ missed: string[]; agreeing: number; found: number }[]>`
      WITH pool AS (
        SELECT '{j,jo,john,johnny,joan,bill,william,will,wm,bob,robert,rob,smith,smyth,smithe,reed,reid,o,neil,llc,inc,holdings,group,acme,acne,12,13,al,albert,b,de,la,cruz,van}'::text[] AS words
      ), names AS MATERIALIZED (
        SELECT i, ingest.name_words(array_to_string(array(
          SELECT p.words[1 + (hashint8(i * 31 + k * 7919) & 2147483647) % cardinality(p.words)]
          FROM generate_series(1, 1 + (hashint8(i) & 2147483647) % 4) k), ' ') || CASE WHEN i % 17 = 0 THEN ' jr' ELSE '' END) AS words
        FROM generate_series(1, 200) i, pool p
      ), keyed AS MATERIALIZED (
        SELECT n.*, ingest.name_keys(n.words, false) AS kept, ingest.name_keys(n.words, true) AS asked FROM names n
      ), pairs AS MATERIALIZED (
        SELECT a.words AS a, b.words AS b, a.kept && b.asked AS found, ingest.names_agree(a.words, b.words) AS agree FROM keyed a, keyed b
      )
      SELECT array_agg(a::text || ' ' || b::text) FILTER (WHERE agree AND NOT found) AS missed,
             count(*) FILTER (WHERE agree)::integer AS agreeing, count(*) FILTER (WHERE found)::integer AS found FROM pairs`;
    assert.equal(row!.missed, null);
    assert.ok(row!.agreeing > 500 && row!.found < 3 * row!.agreeing, JSON.stringify(row));
  });

  it('are not when a first name, a suffix or a number differs', async () => {
    assert.deepEqual(
      (await agree(OTHERS)).filter((row) => row.agree || row.back),
      [],
    );
  });

  it('of phones: the leading 1 of North America does not count, an extension does', async () => {
    const [row] =
      await sql`SELECT ingest.phone_key('15554011000') AS one, ingest.phone_key('15554011000x7') AS ext, ingest.phone_key('155540110001') AS other`;
    assert.deepEqual({ ...row }, { one: '5554011000', ext: '5554011000x7', other: '155540110001' });
  });
});
