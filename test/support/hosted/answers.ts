/** Answers of hosted Supabase, as the sources of Storage and PostgREST and the gateway in front of them make them. */
import type { Answer } from './faultServer.ts';

/** Storage: 400 (or 500) on the wire, the true status and a word in the body. */
const storage = (
  statusCode: string,
  error: string,
  code: string,
  message: string,
  more: Partial<Answer> = {},
): Answer => ({
  status: statusCode === '500' ? 500 : 400,
  body: { statusCode, error, code, message },
  ...more,
});
/** The same of Storage before it had codes. */
const olderStorage = (statusCode: string, error: string, message: string): Answer => ({
  status: statusCode === '500' ? 500 : 400,
  body: { statusCode, error, message },
});
const page = (status: number, title: string): Answer => ({
  status,
  body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`,
});
const rest = (status: number, code: string, message: string, hint: string | null = null): Answer => ({
  status,
  body: { code, details: null, hint, message },
});

export const STORAGE = {
  policy: storage('403', 'Unauthorized', 'AccessDenied', 'new row violates row-level security policy'),
  olderPolicy: olderStorage('403', 'Unauthorized', 'new row violates row-level security policy'),
  badKey: olderStorage('403', 'Unauthorized', 'Invalid Compact JWS'),
  expiredKey: storage('400', 'InvalidJWT', 'InvalidJWT', '"exp" claim timestamp check failed'),
  expiredToken: olderStorage('400', 'invalid_jwt', 'jwt expired'),
  noBucket: storage('404', 'Bucket not found', 'NoSuchBucket', 'Bucket not found'),
  olderNoBucket: olderStorage('404', 'Bucket not found', 'Bucket not found'),
  noObject: storage('404', 'not_found', 'NoSuchKey', 'Object not found'),
  duplicate: storage('409', 'Duplicate', 'KeyAlreadyExists', 'The resource already exists'),
  mimeType: storage('415', 'invalid_mime_type', 'InvalidMimeType', 'mime type image/png is not supported'),
  olderMimeType: olderStorage('415', 'invalid_mime_type', 'mime type image/png is not supported'),
  tooLarge: storage('413', 'Payload too large', 'EntityTooLarge', 'The object exceeded the maximum allowed size'),
  wrongRequest: storage('400', 'InvalidRequest', 'InvalidRequest', 'The request is invalid'),
  slowDown: storage('429', 'too_many_connections', 'SlowDown', 'Too many connections issued to the database', {
    status: 429,
    headers: { 'retry-after': '2' },
  }),
  locked: storage('423', 'ResourceLocked', 'ResourceLocked', 'The resource is locked'),
  databaseTimeout: storage('544', 'DatabaseTimeout', 'DatabaseTimeout', 'The connection to the database timed out'),
  s3: storage('403', 'Error', 'S3Error', 'AccessDenied'),
  internal: storage('500', 'Internal', 'InternalError', 'Internal Server Error'),
} as const satisfies Record<string, Answer>;

export const REST = {
  staleFunction: rest(404, 'PGRST202', 'Could not find the function ingest.f in the schema cache'),
  staleTable: rest(404, 'PGRST205', "Could not find the table 'ingest.t' in the schema cache"),
  noDatabase: rest(503, 'PGRST000', 'Could not connect with the database'),
  noCache: rest(503, 'PGRST002', 'Could not query the database for the schema cache. Retrying.'),
  noConnection: rest(504, 'PGRST003', 'Timed out acquiring connection from connection pool.'),
  expiredKey: rest(401, 'PGRST303', 'JWT expired'),
  hidden: rest(406, 'PGRST106', 'Invalid schema: ingest'),
  badPath: rest(404, 'PGRST125', 'Invalid path specified in request URL'),
  timeout: rest(500, '57014', 'canceling statement due to statement timeout'),
  refused: rest(400, '22P02', 'invalid input syntax for type uuid'),
} as const satisfies Record<string, Answer>;

/** Kong, Cloudflare and whatever else stands between. */
export const GATEWAY = {
  badKey: {
    status: 401,
    body: { message: 'Invalid API key', hint: 'Double check your Supabase `anon` or `service_role` API key.' },
  },
  noRoute: { status: 404, body: { message: 'no Route matched with those values' } },
  notFound: page(404, '404 Not Found'),
  forbidden: page(403, 'Attention Required! | Cloudflare'),
  tooLarge: page(413, '413 Request Entity Too Large'),
  busy: { ...page(429, 'Too many requests'), headers: { 'retry-after': '3' } },
  badGateway: page(502, '502 Bad Gateway'),
  unknownError: page(520, 'Web server is returning an unknown error'),
  down: page(522, 'Connection timed out'),
  slow: page(524, 'A timeout occurred'),
  paused: page(540, 'Project paused'),
  portal: page(200, 'Welcome to the guest network'),
  created: page(201, 'Created'),
  empty: { status: 200, body: '' },
  notJson: { status: 200, body: '{"inserted": 12, "skip', headers: { 'content-type': 'application/json' } },
  reset: { reset: 'before' },
  brokeOff: { reset: 'within' },
  cut: { cut: true },
} as const satisfies Record<string, Answer>;
