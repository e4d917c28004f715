/** One POST of a batch to the gateway, and what its answer means for the next attempt (runbook 003). */
import { IntakeError } from '../../errors.ts';
import { PROPAGATION_MS } from './bearer.ts';
import { delayAfter, POLICIES } from '../../messages/policies.ts';
import type { PushMetrics } from '../../messages/push.ts';

export interface PostRequest {
  /** Base URL of the gateway, or the whole address of its function. */
  readonly url: string;
  readonly bearer: string;
  /** Whether the gateway may not know the bearer yet: a 401 is no refusal then. */
  readonly fresh: boolean;
  readonly body: Buffer;
  /** What messages call the batch. */
  readonly name: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** Longer than the gateway waits for a merge. */
const REQUEST_TIMEOUT_MS = 150_000;
/** A gateway that asks for more is not waited for within this push. */
const LONGEST_RETRY_AFTER_S = 600;

/**
 * @returns the metrics of the batch and the id of its staging row.
 * @throws IntakeError GATEWAY_UNAVAILABLE, GATEWAY_BUSY with the time to wait; GATEWAY_REFUSED with the gateway's code and path.
 */
export async function postBatchBody({
  url,
  bearer,
  fresh,
  body,
  name,
  attempt,
  signal,
}: PostRequest): Promise<PushMetrics & { staging_id: string }> {
  const backoffMs = delayAfter(POLICIES.postBatch.backOff, attempt);
  let response: Response;
  let text: string;
  try {
    response = await fetch(addressOf(url), {
      method: 'POST',
      body: body as Uint8Array<ArrayBuffer>,
      redirect: 'manual',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    text = await response.text();
  } catch (cause) {
    throw new IntakeError('GATEWAY_UNAVAILABLE', `The gateway at ${urlForMessages(url)} does not answer`, {
      cause,
      retryAfterMs: backoffMs,
    });
  }
  const answer = parseAnswer(text);
  if (response.ok && answer.metrics) return answer.metrics;

  const { code = '', message = '', path, remedy } = answer.error ?? {};
  const said = `${response.status}${code ? ` ${code}` : ''}${path ? ` at ${path}` : ''}${message ? `: ${message}` : ''}`;
  const fault = `${name}: the gateway answered ${said}`;
  // The longer of both: a gateway that is asked again at once only becomes busier.
  const retryAfterMs = Math.max(retryAfterOf(response) ?? 0, backoffMs);
  if (response.status === 429) throw new IntakeError('GATEWAY_BUSY', fault, { retryAfterMs });
  if (response.status === 401 && fresh) throw new IntakeError('GATEWAY_BUSY', fault, { retryAfterMs: PROPAGATION_MS });
  if (response.status >= 500) throw new IntakeError('GATEWAY_UNAVAILABLE', fault, { retryAfterMs });
  throw new IntakeError('GATEWAY_REFUSED', fault, remedy ? { remedy } : {});
}

/** Where a URL leads to, without its query and user. */
export function urlForMessages(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname === '/' ? '' : pathname}`;
}

const addressOf = (url: string): string =>
  /\/import-projects\/?$/.test(url) ? url : `${url.replace(/\/+$/, '')}/import-projects`;

interface Answer {
  readonly metrics?: PushMetrics & { staging_id: string };
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly path?: string | null;
    readonly remedy?: string;
  };
}

function parseAnswer(text: string): Answer {
  try {
    const answer = JSON.parse(text) as Answer | null;
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return {}; // of something else that answers there
  }
}

/** Seconds or a date. */
function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get('retry-after') ?? '';
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST_RETRY_AFTER_S) * 1000 : undefined;
}
