/**
 * The rows of samples/projects.csv: developments of one tenant. A few name partners and people that no directory has yet, two
 * applications stand twice, three rows have a fault.
 */
import type { SampleRow } from './sample-row.ts';

/** The draws that make the same rows every time. */
export interface Draws {
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
}

const ROWS = 100;
const PARTNERS = ['Wattlebank Civil', 'Redgum Networks', 'Saltbush Trenching'];
const SPECIALISTS = ['mira.osei', 'tobias.lund'];
const MANAGERS = ['Priya Hartog', 'Callum Werther'];
const ESTATES = ['Banksia Rise', 'Curlew Park', 'Driftsand', 'Emu Flat', 'Fernleigh', 'Glasshouse Green', 'Heron Quay'];
const TOWNS = [
  { name: 'Murray Bend SA 5253', latitude: -35.12, longitude: 139.27 },
  { name: 'Kestrel Plains VIC 3338', latitude: -37.71, longitude: 144.52 },
  { name: 'Tamarind Hill QLD 4211', latitude: -28.03, longitude: 153.31 },
  { name: 'Coorong West SA 5264', latitude: -35.93, longitude: 139.35 },
];
const FAULTS: Readonly<
  Record<number, readonly [column: string, value: string, error: NonNullable<SampleRow['error']>]>
> = {
  30: ['residential', 'twelve', 'BAD_COUNT'],
  61: ['eFscd', '30/02/2026', 'BAD_DATE'],
  88: ['latitude', '134.91', 'BAD_COORDINATE'],
};
/** Later rows of an application that stands above already. */
const AGAIN: Readonly<Record<number, number>> = { 97: 40, 98: 12 };

export function projectRows(draws: Draws): SampleRow[] {
  return Array.from({ length: ROWS }, (_, i) => {
    const cells = projectCells(i, draws);
    const fault = FAULTS[i];
    return fault ? { cells: { ...cells, [fault[0]]: fault[1] }, error: fault[2] } : { cells };
  });
}

function projectCells(i: number, { between, pick }: Draws): Record<string, string> {
  const town = pick(TOWNS);
  const created = new Date(Date.UTC(2025, between(0, 8), between(1, 28)));
  const ready = new Date(created.getTime() + between(90, 420) * 86_400_000).toISOString().slice(0, 10);
  const [residential, commercial] = [between(2, 180), between(0, 9)];
  return {
    stage_application: `STG-${String(48_210 + 7 * (AGAIN[i] ?? i)).padStart(12, '0')}`,
    delivery_partner: i % 9 === 4 ? pick(PARTNERS) : i % 5 === 0 ? 'Unassigned' : '',
    developer_class: pick(['Class 1', 'Class 2', 'Class 2', 'Class 3', 'Class 4', '']),
    relationship_manager: i % 20 === 3 ? pick(MANAGERS) : '',
    rm_preferred_username: '',
    deployment_specialist: i % 16 === 7 ? pick(SPECIALISTS) : '',
    residential: String(residential),
    commercial: commercial === 0 ? '' : String(commercial),
    essential: pick(['', '', '1', '2']),
    premises_count: String(residential + commercial),
    stage_application_created: created.toISOString().slice(0, 10),
    address: `${between(1, 90)} ${pick(ESTATES)} Boulevard, ${town.name}`,
    eFscd: `${ready.slice(8)}/${ready.slice(5, 7)}/${ready.slice(0, 4)}`,
    development_type: pick(['Subdivision', 'Apartment', 'Business Park']),
    build_type: pick(['SDU', 'MDU']),
    fod_id: `FOD-${between(1000, 9999)}`,
    latitude: (town.latitude + between(-40, 40) / 1000).toFixed(3),
    longitude: (town.longitude + between(-40, 40) / 1000).toFixed(3),
  };
}
