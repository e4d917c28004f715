/** Kind `projects` (runbook 003): one project a row; the source system is the tenant. */
import { LONGEST } from '../sources/projects/limits.ts';
import { parseDate } from '../values/date.ts';
import { keyOfNormalized } from '../values/key.ts';
import { EMPTY, type Result } from '../values/result.ts';
import { text } from '../values/text.ts';
import type { CsvKind } from './kind.ts';

const TEXTS = [
  'stage_application',
  'delivery_partner',
  'developer_class',
  'relationship_manager',
  'rm_preferred_username',
  'deployment_specialist',
  'address',
  'development_type',
  'build_type',
  'fod_id',
] as const;
const COUNTS = ['residential', 'commercial', 'essential', 'premises_count'] as const;

const LONGER: Readonly<Partial<Record<string, number>>> = { stage_application: LONGEST.key, address: LONGEST.address };
const WHOLE = /^\d{1,9}(?:\.0*)?$/;
const DEGREES = /^[+-]?\d{1,3}(?:\.\d{0,30})?$/;

const ROW_ERRORS = {
  BAD_COUNT: 'The count is not a whole number from 0 to 999999999.',
  BAD_COORDINATE: 'The latitude is not within 90 degrees, or the longitude not within 180; write it like -34.92.',
  TEXT_TOO_LONG: 'The text is longer than 500 characters (stage_application: 200, address: 2000).',
};
type Code = keyof typeof ROW_ERRORS;

export const projects: CsvKind<Code> = {
  name: 'projects',
  reads: 'csv',
  aliases: ['project'],
  title: 'Projects',
  defaultSource: 'projects',
  sourceIsTenant: true,
  runColumn: 'staging_id',
  columns: [
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
  ].map((name) => ({ name, aliases: [] })),
  required: [['stage_application']],
  dateOrder: 'mdy',
  table: 'projects',
  stageColumns: [...TEXTS, 'stage_application_created', 'efscd', 'latitude', 'longitude', ...COUNTS],
  row(cell, { sourceSystem, dateOrder }) {
    const cells: readonly (readonly [column: string, Result<string, Code>])[] = [
      ...TEXTS.map((column) => [column, readText(cell(column), LONGER[column] ?? LONGEST.text)] as const),
      ['stage_application_created', parseDate(cell('stage_application_created'), dateOrder)],
      ['eFscd', parseDate(cell('eFscd'), dateOrder)],
      ['latitude', readDegrees(cell('latitude'), 90)],
      ['longitude', readDegrees(cell('longitude'), 180)],
      ...COUNTS.map((column) => [column, readCount(cell(column))] as const),
    ];
    const values = cells.map(([, read]) => ('value' in read ? read.value : null));
    // Exactly as written: two spellings are two projects.
    const key = keyOfNormalized(sourceSystem, text(cell('stage_application')) ?? '', '');
    if (values[0] === null && !cells[0]![1].error)
      return { key, values, error: 'MISSING_VALUE', column: 'stage_application' };
    const [column, bad] = cells.find(([, { error }]) => error !== undefined) ?? [];
    return bad?.error ? { key, values, error: bad.error, column: column! } : { key, values };
  },
  rowErrors: ROW_ERRORS,
  effects: {
    summary: [
      {
        label: 'Members:  ',
        counters: {
          org_memberships_upserted: 'organisations',
          user_memberships_upserted: 'people added to projects',
        },
        separator: ' and ',
      },
      { label: 'Anomalies: ', counters: { anomalies: '' }, byType: true },
    ],
    showZero: true,
    inDocument: true,
    removed: { members: 'memberships', anomalies: 'anomalies' },
    keptIds: { project_ids: 'projects' },
  },
  options: ['tenant'],
  personalTables: ['public.staging_imports', 'ingest.projects_raw'],
  sample: 'projects.csv',
  colour: { light: '#a8577e', dark: '#cf86a9' },
};

function readText(cell: string | undefined, longest: number): Result<string, Code> {
  const value = text(cell);
  return value !== null && value.length > longest ? fault('TEXT_TOO_LONG') : { value };
}

/** A blank is 0. */
function readCount(cell: string | undefined): Result<string, Code> {
  const digits = text(cell) ?? '0';
  return WHOLE.test(digits) ? { value: String(Number(digits)) } : fault('BAD_COUNT');
}

function readDegrees(cell: string | undefined, most: number): Result<string, Code> {
  const value = text(cell);
  if (value === null) return EMPTY;
  return DEGREES.test(value) && Math.abs(Number(value)) <= most ? { value } : fault('BAD_COORDINATE');
}

const fault = (error: Code): Result<string, Code> => ({ error });
