/** The body of POST /import-projects: from bytes to a normal batch with its checksum. */
import { z } from 'zod';
import { rowsChecksum } from '../../sources/projects/checksum.ts';
import { issueOf, Problem, type Issue } from '../problem.ts';
import { rowSchema, type NormalRow } from '../../sources/projects/row.ts';

/** The contract's limit. */
export const MAX_ROWS = 5000;
/** A batch with one mistake has it in every row, often. */
const MAX_ISSUES = 20;
const MAX_NAME = 200;

export interface Batch {
  readonly tenantId: string;
  /** The requester's text. */
  readonly batchId: string;
  readonly source: string;
  readonly correlationId: string | undefined;
  readonly checksum: string;
  /** How many. */
  readonly rowCount: number;
  readonly rows: () => readonly NormalRow[];
}

const name = z
  .string({ error: 'missing, or not a text' })
  .trim()
  .min(1, 'blank')
  .max(MAX_NAME, `longer than ${MAX_NAME} characters`)
  .refine((value) => value.isWellFormed() && !value.includes('\0'), 'not valid Unicode text');

/** The outside of a batch. Its rows come afterwards, one at a time: a million of bad ones must not make a million of complaints. */
const envelopeSchema = z.object(
  {
    tenant_id: name,
    batch_id: name,
    source: name.nullish(),
    correlation_id: z.guid('not a UUID').nullish(),
    rows: z.custom<readonly unknown[]>(Array.isArray, 'missing, or not an array'),
  },
  { error: 'not a JSON object' },
);

/** The whole, for /openapi.json. */
export const batchSchema = envelopeSchema.extend({ rows: z.array(rowSchema).min(1).max(MAX_ROWS) });

/**
 * Reads a batch. Keys that are no column of a project are left out.
 * @throws Problem MALFORMED_JSON, INVALID_STRUCTURE, INVALID_ROWS with the first 20 places.
 */
export function parseBatch(body: Uint8Array): Batch {
  const envelope = envelopeSchema.safeParse(parseJson(body));
  if (!envelope.success) {
    const issues = envelope.error.issues.slice(0, MAX_ISSUES).map(issueOf);
    throw new Problem('INVALID_STRUCTURE', `The batch is not as agreed: ${summary(issues)}`, { issues });
  }
  const { tenant_id, batch_id, source, correlation_id, rows } = envelope.data;
  const normal = parseRows(rows);
  return {
    tenantId: tenant_id,
    batchId: batch_id,
    source: source ?? 'projects-import',
    correlationId: correlation_id?.toLowerCase(),
    checksum: rowsChecksum(normal),
    rowCount: normal.length,
    rows: () => normal,
  };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem('MALFORMED_JSON', 'The body is not JSON in UTF-8'); // the parser's own words would quote it
  }
}

function parseRows(rows: readonly unknown[]): NormalRow[] {
  if (rows.length < 1 || rows.length > MAX_ROWS) {
    throw new Problem('INVALID_ROWS', `A batch has 1 to ${MAX_ROWS} rows`, {
      issues: [{ path: 'rows', message: `not 1 to ${MAX_ROWS} rows` }],
    });
  }
  const normal: NormalRow[] = [];
  const issues: Issue[] = [];
  for (const [i, row] of rows.entries()) {
    const parsed = rowSchema.safeParse(row);
    if (parsed.success) normal.push(parsed.data);
    else issues.push(...parsed.error.issues.map((issue) => issueOf({ ...issue, path: ['rows', i, ...issue.path] })));
    if (issues.length >= MAX_ISSUES) break;
  }
  if (issues.length > 0) {
    const first = issues.slice(0, MAX_ISSUES);
    throw new Problem('INVALID_ROWS', `Rows are not as agreed: ${summary(first)}`, { issues: first });
  }
  return normal;
}

const summary = (issues: readonly Issue[]): string => {
  const [first] = issues as [Issue];
  return `${first.path || 'the body'} is ${first.message}`;
};
