/** A batch of project rows as a tenant's office posts it, and the directories that know most of the names in it. */

export interface ProjectRow {
  readonly stage_application: string;
  readonly [column: string]: string;
}

/** The share of rows whose partner, specialist or manager nobody knows: one in so many, of each. */
const UNKNOWN = 100;

/**
 * Rows from number `from` on, with names of directories of so many entries; always the same. `round` changes what is in them, so
 * that a second batch of the same projects is another one.
 */
export function projectRows(count: number, entries: number, from = 0, round = 0): ProjectRow[] {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const known = (name: string, offset: number): string =>
      (n + offset) % UNKNOWN === 0 ? `Unknown ${name}` : `${name} ${n % entries}`;
    return {
      stage_application: `STG-${String(n).padStart(12, '0')}`,
      delivery_partner: known('Partner', 0),
      developer_class: `Class ${(n % 4) + 1}`,
      relationship_manager: known('Manager', 1),
      deployment_specialist: known('SPECIALIST', 2),
      residential: String((n + round) % 90),
      commercial: String(n % 7),
      essential: '',
      premises_count: String((n + round) % 97),
      stage_application_created: `2025-0${(n % 9) + 1}-15`,
      address: `${n} Main Street`,
      eFscd: '2025-10-01',
      development_type: 'Residential',
      build_type: 'SDU',
      fod_id: `FOD-${n}`,
      latitude: '-34.9',
      longitude: '138.6',
    };
  });
}

/** Rows of a batch that become anomalies, each of one type. */
export const unknownRows = (count: number, from = 0): number =>
  projectRows(count, 1, from).filter((row) => Object.values(row).some((cell) => cell.startsWith('Unknown '))).length;
