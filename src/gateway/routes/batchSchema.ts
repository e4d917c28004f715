/** A batch as JSON Schema, for /openapi.json: every body that it takes is taken, but for dates and the uniqueness of keys. */
import {
  COUNTS,
  DEGREES,
  longestOf,
  PROJECT_COLUMNS,
  SCALARS,
  type ProjectColumn,
} from '../../sources/projects/columns.ts';
import { MAX_NAME, MAX_ROWS } from './batch.ts';

/** PostgreSQL stores neither NUL nor half of a surrogate pair. */
const STORABLE = '^[^\\u0000\\ud800-\\udfff]*$';
const NOT_BLANK = '^(?=[^]*[^\\s\\u001c-\\u001f\\u0085])[^\\u0000\\ud800-\\udfff]*$';
const counts: ReadonlySet<string> = new Set(COUNTS);

function cellSchema(name: ProjectColumn): object {
  if (name === 'stage_application')
    return { type: 'string', minLength: 1, maxLength: longestOf(name), pattern: NOT_BLANK };
  if (counts.has(name))
    return {
      description: 'Empty is 0',
      anyOf: [
        { type: 'integer', minimum: 0, maximum: 999_999_999 },
        { type: 'string', pattern: '^(\\d{1,9}(\\.(0{0,2}|0{4,}))?)?$' },
        { type: 'null' },
      ],
    };
  const text = { type: ['string', 'null'], maxLength: longestOf(name), pattern: STORABLE };
  if (name === 'stage_application_created')
    return {
      ...text,
      description: 'A date: YYYY-MM-DD, DD/MM/YYYY or with the name of the month',
      examples: ['2025-04-01'],
    };
  if (name === 'eFscd')
    return { ...text, description: 'A date; one that cannot be read is the anomaly UNREADABLE_VALUE' };
  if (name in DEGREES)
    return {
      ...text,
      type: ['string', 'number', 'null'],
      description: 'Decimal degrees; what is none is the anomaly UNREADABLE_VALUE',
    };
  return SCALARS.has(name)
    ? {
        ...text,
        type: ['string', 'number', 'null'],
        description:
          'A number keeps its digits; a date or a power in fod_id, which a spreadsheet makes of an identifier, is refused',
      }
    : text;
}

const name = { type: 'string', minLength: 1, maxLength: MAX_NAME, pattern: NOT_BLANK };

export const batchSchema = {
  type: 'object',
  required: ['tenant_id', 'batch_id', 'rows'],
  properties: {
    tenant_id: name,
    batch_id: { ...name, description: 'Any text; the answer has a UUID for it' },
    source: { ...name, type: ['string', 'null'], default: 'projects-import' },
    correlation_id: { type: ['string', 'null'], format: 'uuid' },
    null_words: {
      type: ['array', 'null'],
      maxItems: 100,
      items: { type: 'string', maxLength: 100 },
      description:
        'Texts that stand for nothing, in place of NULL, \\N, (null), #N/A, nan, undefined and the like; [] for none',
    },
    decode_html: { type: ['boolean', 'null'], description: 'HTML entities become the signs they stand for' },
    rows: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_ROWS,
      items: {
        type: 'object',
        description:
          'Keys are matched without case, spaces, - and _. A field that is left out stays as the project has it; an empty one clears it.',
        required: ['stage_application'],
        properties: Object.fromEntries(PROJECT_COLUMNS.map(({ name: column }) => [column, cellSchema(column)])),
      },
    },
  },
};
