/**
 * Requests to Supabase's API. What comes back is the word of PostgREST or Storage, or an error that says why there is none:
 * an answer that breaks off, is cut, or is a page of a proxy proves nothing about what was asked, whatever its status.
 */
import { IntakeError, type ErrorCode } from '../errors.ts';
import { storageFault } from './objects/storageFault.ts';
import { sqlError } from './sqlError.ts';
import { transportFault } from './transport.ts';

export type Service = 'rest' | 'storage';

interface Words {
  readonly who: string;
  readonly code: ErrorCode;
  readonly denied: ErrorCode;
}

const WORDS: Record<Service, Words> = {
  rest: { who: 'The API', code: 'DATABASE_UNAVAILABLE', denied: 'DATABASE_DENIED' },
  storage: { who: 'Storage', code: 'STORAGE_UNAVAILABLE', denied: 'STORAGE_DENIED' },
};

/** A longer word of a server than this is not waited for as it says. */
const LONGEST_WAIT_MS = 300_000;

/**
 * `fetch` for one of Supabase's services; its answers are whole and the service's own.
 * @throws IntakeError for anything else.
 */
export function serviceFetch(service: Service): typeof fetch {
  const { who, code } = WORDS[service];
  return async (input, init) => {
    const noAnswer = (cause: unknown): never => {
      throw transportFault(cause, { who, code, setting: 'SUPABASE_URL' });
    };
    const response = await fetch(input, init).catch(noAnswer);
    // An object's bytes go on as they come; its reader looks at what they are.
    if (response.ok && isObject(response, init)) return response;
    const text = await response.text().catch(noAnswer);
    const body = parse(text);
    if (!response.ok) throw refusal(service, body, response);
    if (response.status === 204) return response;
    if (body === undefined)
      throw new IntakeError(code, `${who} answered with what is no JSON (${response.status})`, {
        remedy:
          'Nothing to do: it is retried. When it stays so, a proxy or portal answers in the place of SUPABASE_URL.',
      });
    return new Response(text, response);
  };
}

export interface RememberingFetch {
  readonly fetch: typeof fetch;
  /** Why the latest request had no answer. */
  fault(): IntakeError | undefined;
}

/** `fetch` with a time limit for Supabase's clients, which keep nothing of a fault but its words. */
export function rememberingFetch(who: string, limitMs: number): RememberingFetch {
  let fault: IntakeError | undefined;
  return {
    fault: () => fault,
    fetch: (input, init) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(limitMs) }).catch((cause: unknown) => {
        fault = transportFault(cause, { who, code: 'DATABASE_UNAVAILABLE', setting: 'SUPABASE_URL' });
        throw cause;
      }),
  };
}

const isObject = (response: Response, init: RequestInit | undefined): boolean =>
  (init?.method ?? 'GET') === 'GET' &&
  !/^(application\/json|text\/html)/.test(response.headers.get('content-type') ?? '');

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an answer that is no success means: the service's own word first, else what a gateway's status stands for. */
function refusal(service: Service, body: unknown, response: Response): IntakeError {
  const { who, code, denied } = WORDS[service];
  const { status } = response;
  const retryAfterMs = waitOf(response.headers.get('retry-after'));
  const own = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  if (service === 'rest' && typeof own?.['code'] === 'string') return sqlError(own, status);
  if (service === 'storage' && (own?.['statusCode'] !== undefined || own?.['code'] !== undefined))
    return storageFault(own, status, retryAfterMs);
  const is = (as: ErrorCode, message: string, remedy?: string) =>
    new IntakeError(as, `${message} (${status})`, {
      cause: own ?? new Error(`HTTP ${status}`),
      ...(remedy ? { remedy } : {}),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  if ((status === 401 || status === 403) && own)
    return is(
      denied,
      `${who} refuses the key`,
      'Check SUPABASE_SERVICE_ROLE_KEY: it is the secret key of this project.',
    );
  if (status === 404)
    return is(
      code,
      `There is no ${service === 'rest' ? 'REST API' : 'Storage'} at SUPABASE_URL`,
      "Check SUPABASE_URL: it is the project's address without a path, like https://<project-ref>.supabase.co. It is retried.",
    );
  if (status === 413)
    return is(
      'REQUEST_TOO_LARGE',
      `A gateway in front of ${service === 'rest' ? 'the API' : 'Storage'} takes no request of this size`,
    );
  if (status === 540)
    return is(
      code,
      'The Supabase project is paused',
      'Restore the project in its dashboard; the import goes on by itself.',
    );
  return is(code, `${who} does not answer: a gateway says so in its place`);
}

/** `Retry-After`, in seconds or as a date. */
function waitOf(text: string | null): number | undefined {
  if (!text) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined;
}
