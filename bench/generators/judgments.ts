/** A realistic Simplicity export, the same for the same seed: people who come back by email, phone or name, duplicates, bad rows. */
import type { GeneratedRow } from './file.ts';
import { mulberry32, picker } from './random.ts';

export const HEADER = [
  'LeadID',
  'LeadSource',
  'Court',
  'IndexNumber',
  'CaseType',
  'JudgmentDate',
  'JudgmentAmount',
  'Status',
  'County',
  'State',
  'PlaintiffName',
  'PlaintiffAddress',
  'DefendantName',
  'DefendantAddress',
  'Phone',
  'Email',
  'BestContactMethod',
  'AssignedAgent',
] as const;

/**
 * What a row is made to be: a new person's judgment; a further one of an earlier person, known by `email`, by `phone` (the
 * email is new or empty) or by `name` alone; a judgment that an earlier row has; a bad row.
 */
export type JudgmentNature =
  'new' | 'email' | 'phone' | 'name' | 'duplicate' | 'missing-name' | 'bad-email' | 'bad-amount' | 'bad-date';

/** Every fourth row is of nobody new; of these, the shares of duplicates and of bad rows (1.6% and 0.2% of the file). */
const NOBODY_NEW = 4;
const DUPLICATES = 0.064;
const BAD = 0.008;

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
];
const FORM = ['Recovery LLC', 'Capital, Inc.', 'Holdings LP', 'Funding Corp'];
const STREET = ['Main St', 'Oak Ave', 'Court St', '2nd Ave', 'Ocean Pkwy', 'Broadway'];
const COURT = [
  ['KC', 'Kings County Civil Court', 'Kings'],
  ['QSC', 'Queens Supreme Court', 'Queens'],
  ['BX', 'Bronx Civil Court', 'Bronx'],
  ['NYC', 'New York County Supreme Court', 'New York'],
  ['RC', 'Richmond County Court', 'Richmond'],
] as const;
const DOMAIN = ['example.com', 'example.org', 'mail.example.net'];
const CASE_TYPE = ['Civil', 'Small Claims', 'Commercial', 'Landlord-Tenant'];
const AGENT = ['Agent X', 'Agent Y', 'Agent Z', ''];

/** What the first row of a person says: a function of seed and row, so that a later row can say it again. */
interface Origin {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly address: string;
}

/** The rows of a file, one after the other; row n of a seed does not depend on how many follow. */
export function* judgmentRows(seed: number, rows: number): Generator<GeneratedRow<JudgmentNature>> {
  for (let i = 0; i < rows; i++) yield judgmentRow(seed, i);
}

function judgmentRow(seed: number, i: number): GeneratedRow<JudgmentNature> {
  const random = mulberry32(seed * 1_000_003 + i * 2 + 1);
  const pick = picker(random);
  const again = i % NOBODY_NEW === NOBODY_NEW - 1;
  const before = Math.floor(random() * i);
  const source = again ? (before % NOBODY_NEW === NOBODY_NEW - 1 ? before - 1 : before) : i;
  const origin = originOf(seed, source);
  const nature = again ? natureOf(origin, random()) : 'new';
  const bad = nature.startsWith('bad-') || nature.startsWith('missing-');
  let { name, email, phone, address } = bad ? originOf(seed, i) : origin;
  let number = numberOf(nature === 'duplicate' ? source : i);

  if (again) name = pick([name, name.toUpperCase(), ` ${name.replace(' ', '  ')}`]);
  if (nature === 'email') {
    email = pick([email, email.toUpperCase(), `${email} `]);
    phone = pick([phone, '', written(phoneOf(i))]);
  } else if (nature === 'phone') {
    email = pick(['', '', `office.${i.toString(36)}@example.com`]);
    phone = phone.replace(/\D+/g, pick(['', '.', ' ']));
  } else if (nature === 'name') {
    email = pick(['', '', `new.${i.toString(36)}@example.org`]);
    phone = pick(['', written(phoneOf(i))]);
  } else if (nature === 'duplicate') {
    number = pick([number, number.toLowerCase(), ` ${number}`]);
  }
  if (random() < 0.2) address = addressOf(i, pick);
  if (nature === 'missing-name') name = ' ';
  if (nature === 'bad-email') email = `${i} at example`;

  const [, court, county] = COURT[source % COURT.length] as (typeof COURT)[number];
  const dollars = 500 + Math.floor(random() * 60_000);
  const cents = String(Math.floor(random() * 100)).padStart(2, '0');
  const amount =
    nature === 'bad-amount'
      ? 'see file'
      : pick([`${dollars}.${cents}`, `"$${dollars.toLocaleString('en-US')}.${cents}"`]);
  const [month, day, year] = [
    1 + Math.floor(random() * 12),
    1 + Math.floor(random() * 28),
    2010 + Math.floor(random() * 15),
  ];
  const two = (n: number): string => String(n).padStart(2, '0');
  const date =
    nature === 'bad-date'
      ? `13/45/${year}`
      : pick([`${two(month)}/${two(day)}/${year}`, `${year}-${two(month)}-${two(day)}`]);
  const debtor = `${pick(FIRST)} ${pick(LAST)}`;
  const cells = [
    `L-${seed}-${i}`,
    pick(['Import', 'Web', 'Referral']),
    court,
    number,
    pick(CASE_TYPE),
    date,
    amount,
    pick(['Open', 'Open', 'Closed']),
    county,
    'NY',
    name && `"${name}"`,
    address && `"${address}"`,
    debtor,
    `"${addressOf(i + 7, pick)}"`,
    phone,
    email,
    pick(['Phone', 'Email', '']),
    pick(AGENT),
  ];
  return { nature, csv: `${cells.join(',')}\n` };
}

function natureOf(origin: Origin, chance: number): JudgmentNature {
  if (chance < BAD)
    return (['missing-name', 'bad-email', 'bad-amount', 'bad-date'] as const)[
      Math.floor((chance / BAD) * 4)
    ] as JudgmentNature;
  if (chance < BAD + DUPLICATES) return 'duplicate';
  if (chance < 0.5 && origin.email !== '') return 'email';
  return chance < 0.8 && origin.phone !== '' ? 'phone' : 'name';
}

function originOf(seed: number, i: number): Origin {
  const random = mulberry32(seed * 1_000_003 + i * 2);
  const pick = picker(random);
  const number = i.toString(36);
  const first = pick(FIRST);
  const last = pick(LAST);
  return {
    name: random() < 0.6 ? `${first} ${last} ${number}` : `${last} ${number} ${pick(FORM)}`,
    email: random() < 0.85 ? `${first.toLowerCase().replace(/[^a-z]/g, '')}.${number}@${pick(DOMAIN)}` : '',
    phone: random() < 0.9 ? written(phoneOf(i)) : '',
    address: random() < 0.95 ? addressOf(i, pick) : '',
  };
}

const numberOf = (i: number): string =>
  `${COURT[i % COURT.length]?.[0]}-${2012 + (i % 13)}-${String(i).padStart(6, '0')}`;
const addressOf = (i: number, pick: <T>(list: readonly T[]) => T): string =>
  `${1 + (i % 9800)} ${pick(STREET)}, Brooklyn, NY ${11200 + (i % 57)}`;

/** Ten digits that no other row has; the factor and the prime scatter them. */
function phoneOf(i: number): string {
  const n = (i * 48_271) % 7_979_993;
  return `${200 + Math.floor(n / 10_000)}555${String(n % 10_000).padStart(4, '0')}`;
}
const written = (digits: string): string => `(${digits.slice(0, 3)}) ${digits.slice(3, 6)}-${digits.slice(6)}`;
