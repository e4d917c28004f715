/** The body of POST /import-projects: from bytes to a normal batch with its checksum. */
import * as v from 'valibot';
import { rowsChecksum } from '../../sources/projects/checksum.ts';
import { LENIENT } from '../../sources/projects/columns.ts';
import type { Cleaning } from '../../sources/cleanText.ts';
import { createJsonRowReader } from '../../sources/projects/jsonRow.ts';
import { readProjectRow, type ProjectRow } from '../../sources/projects/row.ts';
import { addRemarks, type Remark, type Remarks } from '../../messages/remarks.ts';
import type { DateOrder } from '../../values/date.ts';
import { parseJson } from '../../values/json.ts';
import { issueOf, Problem, type Issue } from '../problem.ts';

/** The contract's limit. */
export const MAX_ROWS = 5000;
/** A batch with one mistake has it in every row, often. */
const MAX_ISSUES = 20;
const MAX_IGNORED = 50;
export const MAX_NAME = 200;

export interface Batch {
  readonly tenantId: string;
  /** The requester's text. */
  readonly batchId: string;
  readonly source: string;
  readonly correlationId: string | undefined;
  readonly checksum: string;
  /** How many. */
  readonly rowCount: number;
  readonly rows: () => readonly ProjectRow[];
  /** Fields that mean nothing here. */
  readonly ignoredFields: readonly string[];
  /** What was noticed in its texts. */
  readonly remarks: Remarks;
}

const name = v.pipe(
  v.string('missing, or not a text'),
  v.trim(),
  v.nonEmpty('blank'),
  v.check((value) => [...value].length <= MAX_NAME, `longer than ${MAX_NAME} characters`),
  v.check((value) => value.isWellFormed() && !value.includes('\0'), 'not valid Unicode text'),
);
const nullWord = v.pipe(v.string('not a text'), v.maxLength(100, 'longer than 100 characters'));
const guid = v.pipe(v.string('not a UUID'), v.uuid('not a UUID'), v.toLowerCase());

/** The outside of a batch. Its rows come afterwards, one at a time: a million of bad ones must not make a million of complaints. */
const envelope = v.looseObject(
  {
    tenant_id: name,
    batch_id: name,
    source: v.nullish(name),
    correlation_id: v.nullish(guid),
    null_words: v.nullish(v.pipe(v.array(nullWord, 'not a list of texts'), v.maxLength(100, 'more than 100'))),
    decode_html: v.nullish(v.boolean('not true or false')),
    rows: v.custom<readonly unknown[]>(Array.isArray, 'missing, or not an array'),
  },
  // Said of a key that is missing, too.
  ({ path }) => (path ? `missing, or not ${path[0].key === 'rows' ? 'an array' : 'a text'}` : 'not a JSON object'),
);

const ENVELOPE = new Set(Object.keys(envelope.entries));
/** A list has keys, too. */
const batchSchema = v.pipe(
  v.custom<object>((value) => !Array.isArray(value), 'not a JSON object'),
  envelope,
);

/**
 * Reads a batch.
 * @param order of numeric dates.
 * @param correlate is told the sender's correlation id as soon as it is known, whatever is wrong with the rest.
 * @throws Problem MALFORMED_JSON, INVALID_STRUCTURE, INVALID_ROWS with the first 20 places.
 */
export function parseBatch(body: Uint8Array, order: DateOrder, correlate?: (id: string) => void): Batch {
  const { value, error } = parseJson(body) as { readonly value?: unknown; readonly error?: string };
  if (error !== undefined) throw new Problem('MALFORMED_JSON', `The body is not JSON in UTF-8: ${error}`);
  const known = v.safeParse(v.object({ correlation_id: guid }), value);
  if (known.success) correlate?.(known.output.correlation_id);
  const parsed = v.safeParse(batchSchema, value);
  if (!parsed.success) {
    const issues = parsed.issues.slice(0, MAX_ISSUES).map(issueOf);
    throw new Problem('INVALID_STRUCTURE', `The batch is not as agreed: ${summary(issues)}`, { issues });
  }
  const { tenant_id, batch_id, source, correlation_id, null_words, decode_html, rows } = parsed.output;
  const cleaning = { nullWords: null_words ?? undefined, decodeHtml: decode_html ?? undefined };
  const { normal, ignored, remarks } = parseRows(rows, order, cleaning);
  return {
    tenantId: tenant_id,
    batchId: batch_id,
    source: source ?? 'projects-import',
    correlationId: correlation_id ?? undefined,
    checksum: rowsChecksum(normal),
    rowCount: normal.length,
    rows: () => normal,
    remarks,
    ignoredFields: [...Object.keys(parsed.output).filter((key) => !ENVELOPE.has(key)), ...ignored].slice(
      0,
      MAX_IGNORED,
    ),
  };
}

interface NormalRows {
  readonly normal: ProjectRow[];
  readonly ignored: ReadonlySet<string>;
  readonly remarks: Remarks;
}

function parseRows(rows: readonly unknown[], order: DateOrder, cleaning: Cleaning): NormalRows {
  if (rows.length < 1 || rows.length > MAX_ROWS) {
    throw new Problem('INVALID_ROWS', `A batch has 1 to ${MAX_ROWS} rows`, {
      issues: [{ path: 'rows', message: `not 1 to ${MAX_ROWS} rows` }],
    });
  }
  const normal: ProjectRow[] = [];
  const issues: Issue[] = [];
  const remarks: Record<string, Remark> = {};
  const reader = createJsonRowReader(cleaning, (code, remark) => addRemarks(remarks, { [code]: remark }));
  for (const [i, value] of rows.entries()) {
    const { cell, keyOf, faults } = reader.read(value, i + 1);
    const place = (key: string): string => `rows[${i}]${key && `.${key}`}`;
    issues.push(...faults.map(({ key, message }) => ({ path: place(key), message })));
    if (faults.length === 0) {
      const read = readProjectRow(cell, order);
      normal.push(withoutNulls(read.row));
      for (const { column, code, message } of read.faults) {
        if (LENIENT.has(column)) continue;
        const missing = code === 'MISSING_VALUE' && cell(column) === undefined;
        issues.push({ path: place(keyOf(column)), message: missing ? 'missing' : message });
      }
    }
    if (issues.length >= MAX_ISSUES) break;
  }
  if (issues.length > 0) {
    const first = issues.slice(0, MAX_ISSUES);
    throw new Problem('INVALID_ROWS', `Rows are not as agreed: ${summary(first)}`, { issues: first });
  }
  return { normal, ignored: reader.ignored, remarks };
}

/** SQL has null for a field that is missing: an empty cell is an empty text. Copies of one shape are written as JSON in half the time. */
function withoutNulls(row: ProjectRow): ProjectRow {
  const copy: Record<string, ProjectRow[keyof ProjectRow]> = { ...row };
  for (const column in copy) copy[column] ??= '';
  return copy as ProjectRow;
}

const summary = (issues: readonly Issue[]): string => {
  const [first] = issues as [Issue];
  return `${first.path || 'the body'} is ${first.message}`;
};
