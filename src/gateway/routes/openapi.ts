/** The gateway's contract as OpenAPI 3.1: bodies from the schemas that check them. */
import { batchSchema } from './batchSchema.ts';

const counts = [
  'inserted_projects',
  'updated_projects',
  'org_memberships_upserted',
  'user_memberships_upserted',
  'anomalies_count',
  'values_cleared',
  'memberships_removed',
];
const uuid = { type: 'string', format: 'uuid' };
const text = { type: 'string' };
const severity = { type: 'string', enum: ['error', 'warning', 'info'] };
const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});
const json = (description: string, schema: object, headers?: object) => ({
  description,
  ...(headers ? { headers } : {}),
  content: { 'application/json': { schema } },
});

const answer = {
  batch_id: uuid,
  correlation_id: uuid,
  tenant_id: text,
  replayed: { type: 'boolean', description: 'Nothing was merged: the same rows are merged already and still hold' },
  ignored_fields: {
    type: 'array',
    items: text,
    description: 'Fields of the batch that mean nothing here; the first 50',
  },
  remarks: {
    type: 'array',
    items: object({ code: text, count: { type: 'integer' }, row: { type: ['integer', 'null'] } }),
    description:
      'What was noticed in the texts of the rows (NULL_WORDS, HTML_ENTITIES, ...): how often, and in which row first; left out when nothing was',
  },
  metrics: object({ ...Object.fromEntries(counts.map((name) => [name, { type: 'integer' }])), staging_id: uuid }),
};
const accepted = object(
  answer,
  Object.keys(answer).filter((name) => name !== 'remarks'),
);
const issue = object({ path: text, message: text });
const problem = object({
  error: object(
    {
      code: text,
      message: text,
      path: { type: ['string', 'null'] },
      remedy: text,
      issues: { type: 'array', items: issue },
    },
    ['code', 'message', 'path', 'remedy'],
  ),
  correlation_id: uuid,
});
const failed = (description: string, headers?: object) =>
  json(description, { $ref: '#/components/schemas/Problem' }, headers);
const page = (type: string, description: string) => ({ description, content: { [type]: {} } });
/** What the server itself answers to a request that is not one, on any page. */
const refused = {
  400: failed('Not HTTP as its headers announce it'),
  408: failed('The request did not arrive whole in time'),
  417: failed('Another Expect than 100-continue'),
  431: failed('More than 16 kB of headers'),
};
/** A page without parameters, for everybody. */
const open = (operationId: string, summary: string, responses: object) => ({
  summary,
  operationId,
  security: [],
  responses: { ...responses, ...refused, 422: failed('A parameter holds the character NUL') },
});

const importProjects = {
  summary: 'Merges a batch of projects of one tenant; the same batch again gets the same answer',
  operationId: 'importProjects',
  security: [{ tenant: [] }],
  requestBody: {
    required: true,
    description: 'At most 5 MB, also after decompression (Content-Encoding: gzip)',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Batch' } } },
  },
  responses: {
    200: json('Merged', { $ref: '#/components/schemas/Accepted' }),
    ...refused,
    400: failed('Not JSON, or not a batch'),
    401: failed('No secret, an unknown one, or one of another tenant'),
    413: failed('More than 5 MB'),
    422: failed('Rows that break the contract, not 1 to 5000, or a parameter that holds the character NUL'),
    429: failed('One batch at a time, or too many requests', {
      'Retry-After': { description: 'seconds', schema: { type: 'integer' } },
    }),
    500: failed('The database or Temporal does not answer; post the batch again'),
  },
};

const anomaly = object({
  ...Object.fromEntries(
    ['id', 'staging_id', 'correlation_id'].map((name) => [name, { type: ['string', 'null'], format: 'uuid' }]),
  ),
  created_at: { type: 'string', format: 'date-time', description: 'When the latest batch with it was merged' },
  first_seen_at: { type: 'string', format: 'date-time' },
  tenant_id: text,
  row_index: { type: ['integer', 'null'] },
  severity,
  payload_excerpt: { type: ['string', 'null'], maxLength: 500 },
  ...Object.fromEntries(
    ['batch_id', 'anomaly_type', 'field', 'input_value', 'reason', 'match_type', 'project_key'].map((name) => [
      name,
      { type: ['string', 'null'] },
    ]),
  ),
});
const anomalyCount = object({
  tenant_id: text,
  category: text,
  severity,
  count: { type: 'integer' },
  most_recent: { type: 'string', format: 'date-time' },
});
const countsBy = { type: 'object', additionalProperties: { type: 'integer' } };
const alert = object({
  window: object({ since: { type: 'string', format: 'date-time' }, until: { type: 'string', format: 'date-time' } }),
  total: { type: 'integer' },
  by_tenant: countsBy,
  by_type: countsBy,
  by_severity: countsBy,
});
const parameter = (name: string, description: string, schema: object) => ({ name, in: 'query', description, schema });

const getAnomalies = {
  summary: 'Anomalies that the signed-in operator may see, the worst first, in pages; or their counts',
  operationId: 'getAnomalies',
  security: [{ person: [] }],
  parameters: [
    parameter('windowHours', 'How far back', { type: 'integer', minimum: 1, maximum: 336, default: 24 }),
    parameter('tenant', 'Of this tenant alone', text),
    { ...parameter('severity', 'Of these alone', { type: 'array', items: severity }), style: 'form', explode: false },
    parameter('limit', 'Of a page', { type: 'integer', minimum: 1, maximum: 1000, default: 1000 }),
    parameter('after', 'The page behind the one whose Link had it', { type: 'string' }),
    parameter('stats', 'Counts by tenant, category and severity in place of anomalies', {
      type: 'boolean',
      default: false,
    }),
  ],
  responses: {
    200: json(
      'Anomalies, or counts',
      {
        anyOf: [
          { type: 'array', items: anomaly },
          { type: 'array', items: anomalyCount },
        ],
      },
      {
        Link: { description: 'The next page, rel="next"; missing on the last', schema: text },
        'X-Total-Count': { description: 'Anomalies of all pages', schema: { type: 'integer' } },
      },
    ),
    ...refused,
    401: failed('No token, or one that does not hold'),
    403: failed('Neither operator nor admin'),
    422: failed('A parameter is out of bounds, not known, or given twice'),
    500: failed('Supabase does not answer'),
    503: failed('SUPABASE_URL and SUPABASE_ANON_KEY are not set'),
  },
};

const postAlert = {
  summary: 'Posts totals of the last hours to the webhook when there are enough anomalies',
  operationId: 'postAlert',
  security: [{ person: [] }, { service: [] }],
  responses: {
    202: json('What was sent', alert),
    204: {
      description:
        'Nothing was sent: no webhook is configured, or there are fewer anomalies than ANOMALIES_ALERT_MIN_COUNT',
    },
    ...refused,
    401: failed('No token, or one that does not hold'),
    403: failed('Neither operator nor admin of all tenants'),
    422: failed('The webhook is on this host or a private network, or a parameter holds the character NUL'),
    500: failed('The database does not answer'),
    502: failed('The webhook does not answer, or refuses the message'),
    503: failed('SUPABASE_URL and SUPABASE_ANON_KEY are not set'),
  },
};

/** A route, and the same below the path of Supabase's functions. */
const twice = (path: string, method: 'get' | 'post', operation: { readonly operationId: string }) => ({
  [path]: { [method]: operation },
  [`/functions/v1${path}`]: { [method]: { ...operation, operationId: `${operation.operationId}AsFunction` } },
});

/** Runbook 003: its minor number rises with every change of fields or of what they mean, of which operators are told before. */
const CONTRACT_VERSION = '1.1.0';

export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Intake gateway',
      version: CONTRACT_VERSION,
      description:
        'Runbook 003: the daily import of projects, and its anomalies. Other methods than these are 405 with Allow.',
    },
    servers: [{ url: '/', description: 'Where this document is served' }],
    paths: {
      ...twice('/import-projects', 'post', importProjects),
      ...twice('/anomalies', 'get', getAnomalies),
      ...twice('/anomalies/alerts', 'post', postAlert),
      '/healthz': { get: open('getHealth', 'Whether the process serves', { 200: page('text/plain', 'Yes') }) },
      '/readyz': {
        get: open('getReadiness', 'Whether database and Temporal answer', {
          200: page('text/plain', 'Yes'),
          503: page('text/plain', 'No'),
        }),
      },
      '/metrics': {
        get: open('getMetrics', "Metrics in Prometheus' text format", { 200: page('text/plain', 'Metrics') }),
      },
      '/openapi.json': {
        get: open('getOpenApi', 'This document', { 200: page('application/json', 'OpenAPI 3.1') }),
      },
    },
    components: {
      securitySchemes: {
        tenant: { type: 'http', scheme: 'bearer', description: "The tenant's own secret" },
        person: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Access token of Supabase Auth' },
        service: { type: 'http', scheme: 'bearer', description: "Supabase's service key" },
      },
      schemas: {
        Batch: batchSchema,
        Accepted: accepted,
        Problem: problem,
      },
    },
  };
}
