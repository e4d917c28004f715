/** The gateway's contract as OpenAPI 3.1: bodies from the schemas that check them. */
import { z } from 'zod';
import { batchSchema } from './batch.ts';

const counts = ['inserted_projects', 'updated_projects', 'org_memberships_upserted', 'user_memberships_upserted', 'anomalies_count'];
const uuid = { type: 'string', format: 'uuid' };
const text = { type: 'string' };
const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({ type: 'object', properties, required });
const json = (description: string, schema: object, headers?: object) => ({ description, ...(headers ? { headers } : {}), content: { 'application/json': { schema } } });

const accepted = object({
  batch_id: uuid, correlation_id: uuid, tenant_id: text,
  metrics: object({ ...Object.fromEntries(counts.map((name) => [name, { type: 'integer' }])), staging_id: uuid }),
});
const issue = object({ path: text, message: text });
const problem = object({
  error: object({ code: text, message: text, path: { type: ['string', 'null'] }, remedy: text, issues: { type: 'array', items: issue } }, ['code', 'message', 'path', 'remedy']),
  correlation_id: uuid,
});
const failed = (description: string, headers?: object) => json(description, { $ref: '#/components/schemas/Problem' }, headers);
const page = (type: string, description: string) => ({ description, content: { [type]: {} } });
const state = { 200: page('text/plain', 'Yes'), 503: page('text/plain', 'No') };

const importProjects = {
  summary: 'Merges a batch of projects of one tenant; the same batch again gets the same answer',
  operationId: 'importProjects',
  security: [{ tenant: [] }],
  requestBody: { required: true, description: 'At most 5 MB, also after decompression (Content-Encoding: gzip)', content: { 'application/json': { schema: { $ref: '#/components/schemas/Batch' } } } },
  responses: {
    200: json('Merged', { $ref: '#/components/schemas/Accepted' }),
    400: failed('Not JSON, or not a batch'),
    401: failed('No secret, an unknown one, or one of another tenant'),
    413: failed('More than 5 MB'),
    422: failed('Rows that break the contract, or not 1 to 5000'),
    429: failed('One batch at a time, or too many requests', { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } }),
    500: failed('The database or Temporal does not answer; post the batch again'),
  },
};

export function openApi(): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Intake gateway', version: '1.0.0', description: 'Runbook 003: the daily import of projects.' },
    paths: {
      '/import-projects': { post: importProjects },
      '/functions/v1/import-projects': { post: { ...importProjects, operationId: 'importProjectsAsFunction' } },
      '/healthz': { get: { summary: 'Whether the process serves', responses: { 200: state[200] } } },
      '/readyz': { get: { summary: 'Whether database and Temporal answer', responses: state } },
      '/metrics': { get: { summary: "Metrics in Prometheus' text format", responses: { 200: page('text/plain', 'Metrics') } } },
      '/openapi.json': { get: { summary: 'This document', responses: { 200: page('application/json', 'OpenAPI 3.1') } } },
    },
    components: {
      securitySchemes: { tenant: { type: 'http', scheme: 'bearer', description: "The tenant's own secret" } },
      schemas: { Batch: z.toJSONSchema(batchSchema, { io: 'input', unrepresentable: 'any' }), Accepted: accepted, Problem: problem },
    },
  };
}
