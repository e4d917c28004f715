/** The columns of a project row (runbook 003): their names in every way in, and how their cells are read. */
import type { Column } from '../csv/columnSet.ts';

/** In the order of runbook 003. */
const NAMES = [
  'stage_application',
  'delivery_partner',
  'developer_class',
  'relationship_manager',
  'rm_preferred_username',
  'deployment_specialist',
  'residential',
  'commercial',
  'essential',
  'premises_count',
  'stage_application_created',
  'address',
  'eFscd',
  'development_type',
  'build_type',
  'fod_id',
  'latitude',
  'longitude',
] as const;
export const DATES = ['stage_application_created', 'eFscd'] as const;
export const DEGREES = { latitude: 90, longitude: 180 } as const;
export const COUNTS = ['residential', 'commercial', 'essential', 'premises_count'] as const;

/** Texts that name something: one that a spreadsheet has converted names another thing. */
export const IDENTIFIERS: ReadonlySet<string> = new Set(['stage_application', 'fod_id']);

export type ProjectColumn = (typeof NAMES)[number];
type TextColumn = Exclude<ProjectColumn, (typeof DATES | typeof COUNTS)[number] | keyof typeof DEGREES>;

const read: ReadonlySet<string> = new Set([...DATES, ...COUNTS, ...Object.keys(DEGREES)]);
export const TEXTS = NAMES.filter((name): name is TextColumn => !read.has(name));

export const PROJECT_COLUMNS: readonly (Column & { readonly name: ProjectColumn })[] = NAMES.map((name) => ({
  name,
  aliases: [],
}));

/** JSON may have numbers here; the other columns are texts. */
export const SCALARS: ReadonlySet<string> = new Set([...COUNTS, 'fod_id', 'latitude', 'longitude']);

/** What cannot be read of these is an anomaly of a posted row, not a breach of the contract. */
export const LENIENT: ReadonlySet<string> = new Set(['eFscd', 'latitude', 'longitude']);

/** Characters of a text, at most. The key is part of an index, which takes no more than 2,700 bytes. */
export const longestOf = (column: string): number =>
  column === 'stage_application' ? 200 : column === 'address' ? 2000 : 500;
