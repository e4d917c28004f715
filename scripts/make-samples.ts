/**
 * Program: `node scripts/make-samples.ts` writes simplicity.csv, jbi.csv and projects.csv of samples/, always the same bytes. The
 * judgment vendors share some plaintiffs and a few cases; nobody in them exists.
 */
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { csvLine } from '../src/sources/csv/write.ts';
import type { RowErrorCode } from '../src/errors.ts';
import { projectRows } from './sample-projects.ts';
import type { SampleRow } from './sample-row.ts';

interface Person {
  readonly name: string;
  readonly type: 'individual' | 'business';
  readonly email: string;
  readonly phone: string;
  readonly address: string;
}

interface Case {
  readonly lead: number;
  readonly number: string;
  readonly plaintiff: Person;
  readonly place: Place;
  readonly filed: Date;
  readonly judged: Date;
  /** In cents. */
  readonly amount: number;
  readonly defendant: string;
  readonly defendantAddress: string;
}

interface Place {
  readonly town: string;
  readonly county: string;
  readonly state: string;
  readonly zip: string;
  readonly court: string;
}

const FIRST = [
  'Adele',
  'Bruno',
  'Camille',
  'Dmitri',
  'Elena',
  'Farid',
  'Grace',
  'Hugo',
  'Ingrid',
  'Jonas',
  'Kavya',
  'Lena',
  'Marisol',
  'Noël',
  'Omar',
];
const LAST = [
  'Ashgrove',
  'Bellweather',
  'Castellane',
  "D'Amour",
  'Eastwood',
  'Fontaine',
  'Galván',
  'Hollis-Ward',
  'Iverness',
  'Juhlin',
  'Kestrel',
];
const FIRM = [
  'Amberline',
  'Bluewater',
  'Copperfield',
  'Driftwood',
  'Eastgate',
  'Fairhaven',
  'Granite Peak',
  'Harborlight',
  'Ironwood',
  'Juniper',
];
const TRADE = ['Collections', 'Recovery', 'Finance', 'Leasing', 'Medical Group', 'Builders', 'Property Management'];
const FORM = [' LLC', ', Inc.', ' Corp.', ' LP'];
const STREET = ['Cedar Avenue', 'Harbor Street', 'Mill Road', 'Orchard Lane', 'Station Square', 'Third Street'];
const STATUS = ['Open', 'Open', 'Enforcement Pending', 'Satisfied in Part', 'Closed'];
const NOTES = [
  'asked for "the usual", call after five',
  'two signatures, one illegible',
  'first letter returned;\nsecond sent',
];
const AREA = ['212', '518', '609', '718', '860'];
const PLACES: readonly Place[] = [
  { town: 'Brooklyn', county: 'Kings', state: 'NY', zip: '11201', court: 'Kings County Civil Court' },
  { town: 'Jamaica', county: 'Queens', state: 'NY', zip: '11432', court: 'Queens County Supreme Court' },
  { town: 'Albany', county: 'Albany', state: 'NY', zip: '12207', court: 'Albany City Court' },
  { town: 'Trenton', county: 'Mercer', state: 'NJ', zip: '08608', court: 'Superior Court, Mercer Vicinage' },
  { town: 'Hartford', county: 'Hartford', state: 'CT', zip: '06103', court: 'Hartford Superior Court' },
];

const ROWS = 250;
const PEOPLE = 200;
/** Cases that stand in both files, and plaintiffs that either file has for itself. */
const SHARED_CASES = 6;
const OWN_PEOPLE = 80;

let drawn = 0;
/** In [0, 1), the same on every machine and in every run. */
const random = (): number => parseInt(hash('sha256', `samples ${drawn++}`).slice(0, 12), 16) / 2 ** 48;
const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
const pick = <T>(list: readonly T[]): T => list[between(0, list.length - 1)]!;

/** All files, made from the beginning. */
export function samples(): { simplicity: SampleRow[]; jbi: SampleRow[]; projects: SampleRow[] } {
  drawn = 0;
  const people = Array.from({ length: PEOPLE }, (_, i) => person(i));
  const early = people.slice(0, PEOPLE - OWN_PEOPLE);
  const late = people.slice(OWN_PEOPLE);
  const cases = Array.from({ length: 2 * ROWS - SHARED_CASES }, (_, i) => lawsuit(i, pick(i < ROWS ? early : late)));
  return {
    simplicity: vendorFile(cases.slice(0, ROWS), simplicityCells, SIMPLICITY_FAULTS),
    jbi: vendorFile(cases.slice(-ROWS), jbiCells, JBI_FAULTS),
    projects: projectRows({ between, pick }),
  };
}

/** The file of the rows. */
export function csvOf(rows: readonly SampleRow[]): string {
  const header = Object.keys(rows[0]!.cells);
  const lines = [header, ...rows.map(({ cells }) => header.map((name) => cells[name]))];
  return lines.map((line) => csvLine(line, { escapeFormulas: false })).join('');
}

function person(i: number): Person {
  const individual = i % 3 === 0;
  const name = individual
    ? `${FIRST[(i / 3) % FIRST.length]} ${LAST[Math.floor(i / 3) % LAST.length]}`
    : `${FIRM[i % FIRM.length]} ${TRADE[i % TRADE.length]}${FORM[Math.floor(i / 70) % FORM.length]}`;
  const mailbox = name
    .normalize('NFD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z]+/g, '.')
    .replace(/\.$/, '');
  const { town, state, zip } = PLACES[i % PLACES.length]!;
  return {
    name,
    type: individual ? 'individual' : 'business',
    email: `${mailbox}@example.${i % 2 ? 'com' : 'org'}`,
    phone: `(${AREA[Math.floor(i / 100)]}) 555-01${String(i % 100).padStart(2, '0')}`,
    address: `${between(2, 990)} ${pick(STREET)}, ${town}, ${state} ${zip}`,
  };
}

function lawsuit(i: number, plaintiff: Person): Case {
  const place = pick(PLACES);
  const filed = new Date(Date.UTC(between(2019, 2023), between(0, 11), between(1, 28)));
  return {
    lead: 4001 + i,
    number: `${place.state}-${filed.getUTCFullYear()}-${String(20117 + 31 * i).padStart(6, '0')}`,
    plaintiff,
    place,
    filed,
    judged: new Date(filed.getTime() + between(60, 500) * 86_400_000),
    amount: between(90_000, 4_800_000),
    defendant: `${pick(FIRST)} ${pick(LAST)}`,
    defendantAddress: `${between(2, 990)} ${pick(STREET)}, ${place.town}, ${place.state} ${place.zip}`,
  };
}

type Fault = readonly [column: string, value: string, error: RowErrorCode];

/** Every 12th row repeats one a little earlier; every 29th has a fault, in turn. */
function vendorFile(
  cases: readonly Case[],
  cellsOf: (one: Case) => Record<string, string>,
  faults: readonly Fault[],
): SampleRow[] {
  return cases.map((one, i) => {
    const fault = i % 29 === 20 ? faults[Math.floor(i / 29) % faults.length] : undefined;
    if (fault !== undefined) return { cells: { ...cellsOf(one), [fault[0]]: fault[1] }, error: fault[2] };
    return { cells: cellsOf(i % 12 === 11 ? cases[i - 5]! : one) };
  });
}

const SIMPLICITY_FAULTS: readonly Fault[] = [
  ['JudgmentDate', '02/30/2022', 'BAD_DATE'],
  ['PlaintiffName', '', 'MISSING_VALUE'],
  ['JudgmentAmount', '1.234,50', 'BAD_AMOUNT'],
  ['State', 'New York', 'BAD_STATE'],
  ['Email', 'see file', 'BAD_EMAIL'],
  ['Phone', '555-01', 'BAD_PHONE'],
  ['JudgmentAmount', '', 'MISSING_VALUE'],
];

const JBI_FAULTS: readonly Fault[] = [
  ['filing_date', '31/04/2022', 'BAD_DATE'],
  ['party_name', '  ', 'MISSING_VALUE'],
  ['judgment_balance', 'tbd', 'BAD_AMOUNT'],
  ['state', 'Conn.', 'BAD_STATE'],
  ['case_number', '', 'MISSING_VALUE'],
  ['judgment_date', '3/7/22', 'BAD_DATE'],
  ['judgment_amount', '12,50', 'BAD_AMOUNT'],
];

function simplicityCells({
  lead,
  number,
  plaintiff,
  place,
  judged,
  amount,
  defendant,
  defendantAddress,
}: Case): Record<string, string> {
  const [phone, email] = contacts(plaintiff);
  return {
    LeadID: String(lead),
    LeadSource: pick(['Import', 'Referral', 'County Clerk']),
    Court: place.court,
    IndexNumber: random() < 0.05 ? '' : number,
    CaseType: pick(['Civil', 'Civil', 'Small Claims']),
    JudgmentDate: random() < 0.06 ? pick(['N/A', 'Not on file', '']) : dateText(judged),
    JudgmentAmount: amountText(amount),
    Status: pick(STATUS),
    County: place.county,
    State: random() < 0.1 ? place.state.toLowerCase() : place.state,
    PlaintiffName: spelling(plaintiff.name),
    PlaintiffAddress: plaintiff.address,
    DefendantName: defendant,
    DefendantAddress: defendantAddress,
    Phone: phone,
    Email: email,
    BestContactMethod: pick(['Phone', 'Email', '']),
    AssignedAgent: pick(['Agent A', 'Agent B', 'Agent C']),
    Notes: random() < 0.2 ? pick(NOTES) : '',
  };
}

function jbiCells({ number, plaintiff, place, filed, judged, amount }: Case): Record<string, string> {
  const [phone, email] = contacts(plaintiff);
  const overpaid = random() < 0.03;
  return {
    case_number: random() < 0.1 ? ` ${number.toLowerCase()} ` : number,
    case_status: pick(STATUS).toLowerCase().replaceAll(' ', '_'),
    court_name: place.court,
    county: place.county,
    state: place.state,
    filing_date: dateText(filed),
    judgment_date: random() < 0.06 ? 'N/A' : dateText(judged),
    judgment_amount: amountText(amount),
    judgment_balance: overpaid ? '($120.00)' : amountText(Math.floor(amount * pick([0, 0.5, 0.8, 1]))),
    party_role: pick(['judgment creditor', 'judgment creditor', 'assignee']),
    party_type: plaintiff.type,
    party_name: spelling(plaintiff.name),
    party_phone: phone,
    contact_type: phone ? 'phone' : 'email',
    party_email: email,
    docket_clerk: pick(['Window 3', 'Window 4', 'Clerk, 2nd floor']),
  };
}

/** A person's name as typed by somebody else. */
function spelling(name: string): string {
  const chance = random();
  if (chance < 0.08) return name.toUpperCase();
  if (chance < 0.14) return name.replace(' LLC', ', L.L.C.').replace(', Inc.', ' Incorporated');
  return chance < 0.18 ? ` ${name.replace(' ', '  ')}` : name;
}

/** Phone and e-mail address, of which one may be missing. */
function contacts({ phone, email }: Person): readonly [string, string] {
  const chance = random();
  if (chance < 0.15) return ['', random() < 0.3 ? email.toUpperCase() : email];
  if (chance < 0.25) return [phone, ''];
  return [chance < 0.5 ? phone.replace(/\((\d+)\) /, '$1-') : phone, email];
}

function amountText(cents: number): string {
  const plain = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
  const chance = random();
  if (chance > 0.4) return plain;
  const grouped = plain.replace(/\B(?=(?:\d{3})+\.)/g, ',');
  return chance < 0.25 ? `$${grouped}` : grouped;
}

function dateText(date: Date): string {
  const iso = date.toISOString().slice(0, 10);
  const [year, month, day] = iso.split('-') as [string, string, string];
  return random() < 0.1 ? iso : `${month}/${day}/${year}`;
}

if (import.meta.main) {
  for (const [name, rows] of Object.entries(samples())) {
    writeFileSync(new URL(`../samples/${name}.csv`, import.meta.url), csvOf(rows));
  }
}
