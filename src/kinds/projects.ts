/** Kind `projects` (runbook 003): one project a row; the source system is the tenant. */
import { COUNTS, IDENTIFIERS, PROJECT_COLUMNS, TEXTS } from '../sources/projects/columns.ts';
import { readProjectRow, type ProjectErrorCode } from '../sources/projects/row.ts';
import { keyOfNormalized } from '../values/key.ts';
import { text } from '../values/text.ts';
import type { CsvKind } from './kind.ts';

/** In the order of the stage's columns. */
const STAGED = [...TEXTS, 'stage_application_created', 'eFscd', 'latitude', 'longitude', ...COUNTS] as const;

const counts: ReadonlySet<string> = new Set(COUNTS);

const ROW_ERRORS: Readonly<Record<ProjectErrorCode, string>> = {
  BAD_COUNT: 'The count is not a whole number from 0 to 999999999.',
  BAD_COORDINATE: 'The latitude is not within 90 degrees, or the longitude not within 180; write it like -34.92.',
  TEXT_TOO_LONG: 'The text is longer than 500 characters (stage_application: 200, address: 2000).',
};

export const projects: CsvKind<ProjectErrorCode> = {
  name: 'projects',
  reads: 'csv',
  aliases: ['project'],
  title: 'Projects',
  defaultSource: 'projects',
  sourceIsTenant: true,
  runColumn: 'staging_id',
  columns: PROJECT_COLUMNS,
  required: [['stage_application']],
  dateOrder: 'dmy',
  identifiers: [...IDENTIFIERS],
  dates: ['stage_application_created', 'eFscd'],
  table: 'projects',
  stageColumns: [...STAGED.map((column) => column.toLowerCase()), 'lacks'],
  row(cell, { sourceSystem, dateOrder }) {
    const { row, faults } = readProjectRow(cell, dateOrder);
    const bad = new Set<string>(faults.map(({ column }) => column));
    const values = STAGED.map((column) => {
      const value = bad.has(column) ? null : (row[column] ?? (counts.has(column) ? 0 : null));
      return value === null ? null : String(value);
    });
    // What the file has no column for stays as the project has it.
    const lacks = STAGED.filter((column) => cell(column) === undefined);
    values.push(lacks.length > 0 ? `{${lacks.join(',')}}` : null);
    // Exactly as written: two spellings are two projects.
    const key = keyOfNormalized(sourceSystem, text(cell('stage_application')) ?? '', '');
    const [first] = faults;
    return first ? { key, values, error: first.code, column: first.column } : { key, values };
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
      {
        label: 'Removed:  ',
        counters: { memberships_removed: 'memberships', values_cleared: 'values that empty cells cleared' },
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
