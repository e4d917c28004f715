/**
 * webhooks/: Messages to the receivers that an operator configured.
 *
 * Posts to such an address, and to nothing on this host or its networks unless that is allowed.
 */
import { lookup } from 'node:dns';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Logger } from 'pino';
import { IntakeError } from '../errors.ts';
import { redact } from '../observability/redact.ts';
import { bodyFor, type WebhookMessage } from './forms.ts';
import { isPublicAddress } from './publicAddress.ts';

export interface WebhookOptions {
  /** The setting that holds the address, for remedies. */
  readonly setting: string;
  /** Whether the target may be this host or a private network. */
  readonly allowPrivate?: boolean;
  /** For the whole call, milliseconds. */
  readonly timeoutMs?: number;
  /** Gets the first words of an answer that is a refusal. */
  readonly log?: Pick<Logger, 'warn'>;
}

/** Worth another attempt although the receiver is to blame the request for it; so is every 5xx. */
const WAITS: ReadonlySet<number> = new Set([408, 425, 429]);
/** Slack's own words for it, where it answers 200. */
const SLACK_WAITS: ReadonlySet<unknown> = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
]);
const LONGEST_RETRY_AFTER_S = 600;
const ANSWER_BYTES = 4096;
/** What more of an answer comes after its head. */
const ANSWER_MS = 1000;
const SHOWN = 200;

/**
 * Posts a message in the form of its receiver and resolves when that takes it: 2xx, and not Slack's `"ok": false`. Redirects are not followed.
 * @throws IntakeError WEBHOOK_REFUSED for a target that is not public; WEBHOOK_FAILED for no answer within ten seconds or another one: final
 * when the receiver will not take this message later either, with the time to wait when it says one. Messages name host and status alone:
 * paths and queries of webhooks are secrets.
 */
export function postWebhook(url: string, message: WebhookMessage, options: WebhookOptions): Promise<void> {
  const { setting, allowPrivate = false, timeoutMs = 10_000, log } = options;
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const refused = (): IntakeError =>
    new IntakeError('WEBHOOK_REFUSED', `The webhook's host ${host} is not on the public internet`, {
      remedy: `Use a public address for ${setting}, or allow private ones: ${setting.replace(/_WEBHOOK$/, '')}_ALLOW_PRIVATE=true.`,
    });
  const failed = (what: string, more: { cause?: unknown; final?: boolean; retryAfterMs?: number } = {}): IntakeError =>
    new IntakeError('WEBHOOK_FAILED', `The webhook at ${host} ${what}`, {
      ...more,
      remedy: more.final
        ? `Check the address in ${setting}, and that its receiver takes this message; the log has its first words.`
        : `Check that the receiver at ${setting} works; it is tried again.`,
    });
  if (!allowPrivate && isIP(host) && !isPublicAddress(host)) return Promise.reject(refused());

  // The connection goes to the very addresses that were looked at: a name that changes its answer is no way around.
  const lookupChecked: LookupFunction = (name, options, callback) =>
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const problem =
        error ?? (allowPrivate || addresses.every(({ address }) => isPublicAddress(address)) ? null : refused());
      if (problem) callback(problem, []);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  const body = JSON.stringify(bodyFor(target, message));
  return new Promise((resolve, reject) => {
    const call = (target.protocol === 'https:' ? requestHttps : requestHttp)(
      target,
      {
        method: 'POST',
        agent: false,
        lookup: lookupChecked,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'intake',
        },
      },
      (response) => {
        void beginningOf(response).then((answer) => {
          const fault = faultIn(response, answer);
          if (!fault) return resolve();
          log?.warn({ host, status: response.statusCode, answer: shown(answer, target) }, 'webhook refused');
          reject(failed(fault.what, fault));
        });
      },
    );
    call.once('error', (error: NodeJS.ErrnoException) => {
      if (error instanceof IntakeError) return reject(error);
      const late = error.name === 'TimeoutError' || error.name === 'AbortError';
      const what = late ? 'does not answer in time' : `cannot be reached (${error.code ?? error.name})`;
      reject(failed(what, { cause: error }));
    });
    call.end(body);
  });
}

/** As much of an answer as tells what it is, of one that never ends, too. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const blocks: Buffer[] = [];
  const enough = setTimeout(() => response.destroy(), ANSWER_MS);
  try {
    for await (const block of response as AsyncIterable<Buffer>) {
      blocks.push(block);
      if (blocks.reduce((sum, { length }) => sum + length, 0) >= ANSWER_BYTES) break;
    }
  } catch {
    // What has come is enough.
  } finally {
    clearTimeout(enough);
    response.destroy();
  }
  return Buffer.concat(blocks).toString('utf8').slice(0, ANSWER_BYTES);
}

/** Undefined when the message was taken. */
function faultIn(
  { statusCode: status = 0, headers }: IncomingMessage,
  answer: string,
): { what: string; final?: boolean; retryAfterMs?: number } | undefined {
  if (status >= 200 && status < 300) {
    const said = parsed(answer);
    if (said?.['ok'] !== false) return undefined;
    return { what: `answers ${status} with "ok": false`, final: !SLACK_WAITS.has(said['error']) };
  }
  const what = `answers ${status}`;
  if (status < 500 && !WAITS.has(status)) return { what, final: true };
  const retryAfterMs = retryAfterOf(headers['retry-after']);
  return retryAfterMs === undefined ? { what } : { what, retryAfterMs };
}

function parsed(answer: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(answer) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds or a date, in milliseconds; a second at least. */
function retryAfterOf(text = ''): number | undefined {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), LONGEST_RETRY_AFTER_S) * 1000 : undefined;
}

/** The first words, without personal numbers and what of the address is a secret. */
function shown(answer: string, { pathname, search, username, password }: URL): string {
  const secrets = [pathname, search, username, password]
    .flatMap((part) => [part, ...part.split(/[/?&=]/), ...decoded(part).split(/[/?&=]/)])
    .filter((part) => part.length >= 4)
    .sort((a, b) => b.length - a.length);
  return redact(secrets.reduce((text, secret) => text.replaceAll(secret, '[REDACTED]'), answer))
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, SHOWN);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
