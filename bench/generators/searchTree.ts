/** A realistic tree of search results, the same for the same seed: states, screenshots, and the dirt of real scrapes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { png } from './png.ts';
import { mulberry32, picker } from './random.ts';

/** What a file is made to be; the first three are what clean trees are made of. */
export type SearchNature = 'found' | 'several' | 'no-results' | (typeof DIRT)[number];

export const DIRT = [
  'missing-image',
  'other-folder',
  'windows-path',
  'shared-image',
  'orphan-image',
  'corrupt-image',
  'duplicate',
  'older',
  'newer',
  'bad-date',
  'no-date',
  'bad-state',
  'missing-field',
  'cut-off',
] as const;

export interface SearchTreeOptions {
  readonly seed: number;
  readonly files: number;
  /** About the size of an image; 110 KB as real screenshots have. */
  readonly imageBytes?: number;
  /** Of how many files one is dirty. 0: none. */
  readonly dirtEvery?: number;
  /** Kinds of dirt, taken in turn; all if not given. */
  readonly dirt?: readonly SearchNature[];
}

/** The tree in `samples/search-results`. */
export const SAMPLE: SearchTreeOptions = {
  seed: 2025,
  files: 30,
  imageBytes: 4_000,
  dirtEvery: 4,
  dirt: ['windows-path', 'other-folder', 'missing-image', 'duplicate', 'no-date', 'newer', 'bad-date'],
};

export interface GeneratedFile {
  /** Below the root. */
  readonly path: string;
  readonly bytes: () => Buffer;
}

export interface GeneratedSearch {
  readonly nature: SearchNature;
  readonly json: GeneratedFile;
  /** Usually one. */
  readonly images: readonly GeneratedFile[];
}

const DAY = '2025-08-04';
const STATES = ['AZ', 'CA', 'CO', 'FL', 'GA', 'KS', 'NY', 'PA', 'TX', 'WI'];
const NAMES = [
  'Alder',
  'Birch & Sons',
  'Cedar Care',
  'Dogwood',
  'Élan',
  'Fir Valley',
  "Ginkgo's",
  'Hazel',
  'Ivy',
  'Juniper',
];
const STREETS = ['Main St', 'Oak Avenue', 'Lakepointe Pkwy', '2nd Ave', 'Violet Street'];
const CITIES = ['Tampa', 'Odessa', 'Golden', 'Madison', 'Phoenix', 'San José'];
const SHARED_EVERY = 515;
/** Hours by which an older or newer search of the same licence differs. */
const SHIFT: Partial<Record<SearchNature, number>> = { older: -24, newer: 24 };

/** The searches of a tree, one after the other; search n of a seed does not depend on how many follow. */
export function* searchTree({
  seed,
  files,
  imageBytes = 110_000,
  dirtEvery = 0,
  dirt = DIRT,
}: SearchTreeOptions): Generator<GeneratedSearch> {
  let before = 0;
  for (let i = 0; i < files; i++) {
    const nature = natureOf(i, dirtEvery, dirt);
    // What repeats an earlier search asks what that one asked.
    const source = nature === 'duplicate' || nature in SHIFT ? before : i;
    yield search(seed, { i, source, nature }, imageBytes);
    if (nature === 'found') before = i;
  }
}

/** Writes the tree and says how many files of each nature it has. */
export function writeSearchTree(root: string, options: SearchTreeOptions): Map<SearchNature, number> {
  const counts = new Map<SearchNature, number>();
  for (const { nature, json, images } of searchTree(options)) {
    counts.set(nature, (counts.get(nature) ?? 0) + 1);
    for (const { path, bytes } of [json, ...images]) {
      const full = join(root, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, bytes());
    }
  }
  return counts;
}

/** Clean but for one file in 515, whose image is another's: as many as the runbook's set has. */
function natureOf(i: number, dirtEvery: number, dirt: readonly SearchNature[]): SearchNature {
  if (dirtEvery > 0 && i % dirtEvery === dirtEvery - 1)
    return dirt[Math.floor(i / dirtEvery) % dirt.length] as SearchNature;
  if (i % SHARED_EVERY === SHARED_EVERY - 1) return 'shared-image';
  return i % 8 === 5 ? 'several' : i % 8 === 6 ? 'no-results' : 'found';
}

interface Place {
  readonly i: number;
  /** Whose search it is. */
  readonly source: number;
  readonly nature: SearchNature;
}

function search(seed: number, place: Place, imageBytes: number): GeneratedSearch {
  const { i, nature } = place;
  const path = pathOf(i);
  const image = { path: `${path}.png`, bytes: () => png(seed * 1_000_003 + i, imageBytes) };
  const cut = { path: image.path, bytes: () => image.bytes().subarray(0, imageBytes >> 1) };
  const moved = { ...image, path: `${DAY}/screenshots/${image.path.replaceAll('/', '_')}` };
  const orphan = { ...image, path: `${path}_table.png`, bytes: () => png(seed * 1_000_003 - i - 1, imageBytes) };
  const images: Partial<Record<SearchNature, GeneratedFile[]>> = {
    'missing-image': [],
    'shared-image': [],
    'other-folder': [moved],
    'orphan-image': [image, orphan],
    'corrupt-image': [cut],
  };
  return {
    nature,
    json: { path: `${path}_parse.json`, bytes: () => jsonOf(seed, place) },
    images: images[nature] ?? [image],
  };
}

const stateOf = (i: number): string => STATES[Math.floor(i / NAMES.length) % STATES.length] as string;
const pathOf = (i: number): string => {
  const name = (NAMES[i % NAMES.length] as string).normalize('NFD').replace(/\p{M}/gu, '').replace(/\W+/g, '_');
  return `${DAY}/${stateOf(i)}/${name}_${String(1 + Math.floor(i / (NAMES.length * STATES.length))).padStart(2, '0')}`;
};

function jsonOf(seed: number, { i, source, nature }: Place): Buffer {
  const pick = picker(mulberry32(seed * 1_000_003 + source));
  const state = stateOf(source);
  const time = timeOf(source, SHIFT[nature] ?? 0);
  const count = nature === 'several' ? 3 : 1;
  const licences = Array.from({ length: count }, (_, n) =>
    nature === 'no-results' ? noLicence(source) : licence(source, n, nature, pick),
  );
  const document = {
    metadata: {
      pharmacy_name: nature === 'missing-field' ? undefined : NAMES[source % NAMES.length],
      search_timestamp: time,
      state: nature === 'bad-state' ? 'Florida' : state,
      scraper_version: '1.0.0',
      source_html_file: `/home/scraper/data/${pathOf(i)}.html`,
      source_image_file: imageNamed(i, nature),
      source_excel_file: null,
      search_result_type: nature === 'no-results' ? 'no_results_found' : 'pharmacy_data',
    },
    search_result: {
      licenses: licences,
      result_status: nature === 'no-results' ? 'no_results_found' : 'found',
      search_query: NAMES[source % NAMES.length],
    },
    debug_info: {
      parser_class: `${state}Parser`,
      state_processor: state,
      raw_license_data: licences[0],
      parser_strategy: 'HTML table',
    },
    errors: [],
    warnings: nature === 'no-results' ? ['No records found'] : [],
  };
  const bytes = Buffer.from(JSON.stringify(document, undefined, 2));
  return nature === 'cut-off' ? bytes.subarray(0, bytes.length >> 1) : bytes;
}

/** Most paths are of the scraper's machine; every third is relative to a parent of the tree. */
function imageNamed(i: number, nature: SearchNature): string {
  if (nature === 'other-folder') return `/home/scraper/data/${DAY}/screenshots/${pathOf(i).replaceAll('/', '_')}.png`;
  if (nature === 'windows-path') return `C:\\scrape\\data\\${pathOf(i).replaceAll('/', '\\')}.png`;
  return `${i % 3 === 0 ? 'data' : '/home/scraper/data'}/${pathOf(nature === 'shared-image' && i > 0 ? i - 1 : i)}.png`;
}

function timeOf(i: number, hours: number): string {
  return `${new Date(Date.UTC(2025, 7, 4, 14 + hours) + i * 1370).toISOString().slice(0, -1)}${String(i % 1000).padStart(3, '0')}`;
}

function licence(i: number, n: number, nature: SearchNature, pick: <T>(list: readonly T[]) => T): object {
  const name = NAMES[i % NAMES.length] as string;
  const state = stateOf(i);
  const issued = pick(['09/14/2016', 'January 15, 2020', '2018-03-02', '12/12/2019']);
  return {
    pharmacy_name: `${name.toUpperCase()} PHARMACY`,
    license_number: `${state}${100_000 + i * 10 + n}`,
    license_status: pick(['Active', 'Clear/', 'Delinquent', 'Expired']),
    license_type: pick(['Pharmacy', 'Nonresident Pharmacy', 'Outsourcing Facility']),
    issue_date: nature === 'bad-date' ? '13/45/2020' : issued,
    expiration_date:
      nature === 'no-date' ? pick(['Not On File', 'N/A', '---', 'Unknown', 'Not Available']) : '2/28/2027',
    address: {
      street: `${1 + (i % 9800)} ${pick(STREETS)}`,
      suite: '',
      city: pick(CITIES),
      state: pick(['TX', state, 'Florida']),
      zip_code: String(10_000 + (i % 89_999)),
    },
    contact: { phone: pick([null, '(813) 555-0142']), email: null },
    additional_info: { specialties: pick([[], ['Outsourcing Facility']]) },
  };
}

function noLicence(i: number): object {
  const address = { street: null, suite: '', city: null, state: stateOf(i), zip_code: null };
  return {
    pharmacy_name: NAMES[i % NAMES.length],
    license_number: null,
    license_status: null,
    license_type: 'Pharmacy',
    issue_date: null,
    expiration_date: null,
    address,
    contact: { phone: null, email: null },
    additional_info: { specialties: [] },
  };
}
