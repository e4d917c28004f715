/** What Storage says -> Intake's codes. Its HTTP status is 400 for nearly everything: the body has the true one and a word. */
import { IntakeError } from '../../errors.ts';
import { BUCKET } from '../backend.ts';

/** The key is wrong, expired or of another project, or a policy refuses it. */
const DENIED = new Set([
  'InvalidJWT',
  'AccessDenied',
  'Unauthorized',
  'InvalidSignature',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'TenantNotFound',
]);
/** This object, whatever the others are like. */
const REFUSED = new Set([
  'InvalidMimeType',
  'invalid_mime_type',
  'EntityTooLarge',
  'Payload too large',
  'InvalidKey',
  'MissingContentLength',
  'InvalidChecksum',
]);
const STORED = new Set(['KeyAlreadyExists', 'ResourceAlreadyExists', 'Duplicate']);
const NO_BUCKET = new Set(['NoSuchBucket', 'Bucket not found']);
const NO_OBJECT = new Set(['NoSuchKey', 'not_found']);

const wordsOf = (body: Record<string, unknown>): string[] =>
  [body['code'], body['error']].filter((word) => typeof word === 'string' && word !== '') as string[];

/** Whether Storage refused an object because it has it: two attempts were at it at once. */
export const storedAlready = ({ cause }: IntakeError): boolean =>
  typeof cause === 'object' &&
  cause !== null &&
  wordsOf(cause as Record<string, unknown>).some((word) => STORED.has(word));

/** @param status the HTTP one, for a body without. */
export function storageFault(body: Record<string, unknown>, status: number, retryAfterMs?: number): IntakeError {
  const words = wordsOf(body);
  const message = typeof body['message'] === 'string' ? body['message'] : '';
  const told = Number(body['statusCode']) || status;
  const any = (known: ReadonlySet<string>): boolean => words.some((said) => known.has(said));
  const name = words[0] ?? String(told);
  const options = { cause: body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };

  if (any(NO_BUCKET) || /^bucket not found/i.test(message))
    return new IntakeError('BUCKET_MISSING', `Storage has no bucket '${BUCKET}', or the key does not see it`, options);
  if (told === 404 && (any(NO_OBJECT) || /object not found/i.test(message)))
    return new IntakeError('OBJECT_MISSING', 'Storage has no such object', options);
  // The store behind Storage has words of its own about its own key: not ours to mend.
  if (
    !words.includes('S3Error') &&
    (any(DENIED) || told === 401 || told === 403 || /\bjw[st]\b|row-level security/i.test(message))
  )
    return new IntakeError('STORAGE_DENIED', `Storage refuses the key (${name})`, options);
  // What Storage itself calls a wrong request stays one, however often it is sent.
  const wrong = [400, 411, 422].includes(Number(body['statusCode'])) && !words.includes('S3Error');
  if (any(REFUSED) || told === 413 || told === 415 || wrong)
    return new IntakeError('OBJECT_REFUSED', `Storage refuses this object by its type or size (${name})`, options);
  if (told === 429) return new IntakeError('STORAGE_UNAVAILABLE', `Storage asks for fewer requests (${name})`, options);
  return new IntakeError('STORAGE_UNAVAILABLE', `Storage does not answer (${name}, ${told})`, options);
}
