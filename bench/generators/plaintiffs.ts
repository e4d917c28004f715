/** A realistic file of plaintiffs, the same for the same seed: quoted commas and newlines, duplicates, a few bad rows. */
import type { GeneratedRow } from './file.ts';
import { mulberry32, picker } from './random.ts';

export const COLUMNS = [
  'plaintiff_name',
  'firm_name',
  'contact_name',
  'email',
  'phone',
  'address',
  'external_id',
  'notes',
] as const;

/** What a row is made to be; `ragged` has a cell too few or too many, the other bad ones have all columns. */
export type PlaintiffNature = 'new' | 'duplicate' | 'missing-name' | 'bad-email' | 'bad-phone' | 'ragged';

/** Share of bad rows and of duplicates of an earlier row. */
const BAD = 0.002;
const DUPLICATES = 0.05;
/** So many earlier plaintiffs are remembered; every so many rows a newer one takes the place of one of them. */
const MEMORY = 4096;
const RENEWAL = 16;

const FIRST = [
  'Maria',
  'James',
  'Ana',
  'Robert',
  'José',
  'Linda',
  'Wei',
  'Zoë',
  'Michael',
  'Søren',
  'Fatima',
  'Olga',
  'Łukasz',
  'David',
  'Nguyễn',
  'Grace',
];
const LAST = [
  'Smith',
  'García',
  'Müller',
  'Johnson',
  "O'Brien",
  'Nowak',
  'Patel',
  'Brown',
  'Lefèvre',
  'Kim',
  'Andersson',
  'Wright',
  'Žižek',
  'Davis',
];
const FIRM = ['Carter', 'Holm & Reyes', 'Whitfield', 'Delgado', 'Stone', 'Abara', 'Kessler & Young', 'Marsh'];
const FORM = ['LLP', 'LLC', 'PC', '& Associates', 'Law Group'];
const STREET = ['Main St', 'Oak Avenue', 'Elm Street', '2nd Ave', 'Lake Shore Drive', 'Broadway'];
const CITY = ['Austin, TX', 'Newark, NJ', 'San José, CA', 'Chicago, IL', 'Portland, OR', 'Boston, MA'];
const NOTE = [
  '',
  'prefers e-mail',
  'said ""call after five""',
  'referred by a client',
  'second filing, see the first',
  '',
];
const DOMAIN = ['example.com', 'example.org', 'mail.example.net'];

/** The rows of a file, one after the other; row n of a seed does not depend on how many follow. */
export function* plaintiffsRows(seed: number, rows: number): Generator<GeneratedRow<PlaintiffNature>> {
  const random = mulberry32(seed);
  const pick = picker(random);
  const earlier: { name: string; email: string }[] = [];

  for (let i = 0; i < rows; i++) {
    const chance = random();
    const nature: PlaintiffNature =
      chance < BAD
        ? pick(['missing-name', 'bad-email', 'bad-phone', 'ragged'] as const)
        : chance < BAD + DUPLICATES && earlier.length > 0
          ? 'duplicate'
          : 'new';
    const first = pick(FIRST);
    const last = pick(LAST);
    const number = i.toString(36);
    let name = `${first} ${last} ${number}`;
    let email = `${first.toLowerCase().replace(/[^a-z]/g, '')}.${number}@${pick(DOMAIN)}`;
    if (nature === 'duplicate') {
      // The same plaintiff for whoever looks, not for whoever compares bytes.
      const same = pick(earlier);
      name = random() < 0.5 ? same.name.toUpperCase() : ` ${same.name} `;
      email = random() < 0.5 ? same.email.toUpperCase() : `${same.email} `;
    } else if (nature === 'new') {
      if (earlier.length < MEMORY) earlier.push({ name, email });
      else if (i % RENEWAL === 0) earlier[Math.floor(random() * MEMORY)] = { name, email };
    } else if (nature === 'missing-name') {
      name = '  ';
    } else if (nature === 'bad-email') {
      email = `${first}.${number} at example`;
    }
    const phone =
      nature === 'bad-phone'
        ? 'call the office'
        : `(${200 + Math.floor(random() * 700)}) 555-${1000 + Math.floor(random() * 9000)}`;
    const newline = random() < 0.03 ? '\n' : ', ';
    const address = `"${1 + Math.floor(random() * 9800)} ${pick(STREET)}${newline}${pick(CITY)} ${10000 + Math.floor(random() * 89000)}"`;
    const note = pick(NOTE);
    const cells = [
      name,
      `"${pick(FIRM)}, ${pick(FORM)}"`,
      `${pick(FIRST)} ${pick(LAST)}`,
      email,
      phone,
      address,
      `EXT-${seed}-${i}`,
      note && `"${note}"`,
    ];
    if (nature === 'ragged' && random() < 0.5) cells.pop();
    else if (nature === 'ragged') cells.push('left over');
    yield { nature, csv: `${cells.join(',')}\n` };
  }
}

/** The same without ragged rows: COPY refuses a file that has one. */
export function* cleanedRows(seed: number, rows: number): Generator<GeneratedRow<PlaintiffNature>> {
  for (const row of plaintiffsRows(seed, rows)) if (row.nature !== 'ragged') yield row;
}
