/** What the gateway answers when it cannot say 200: a status of runbook 003 and what a machine reads of it. Never a value of a request. */
import type { BaseIssue } from 'valibot';
import { temporalFault } from '../temporal/fault.ts';
import { IntakeError, type ErrorCode } from '../errors.ts';

export const PROBLEMS = {
  MALFORMED_JSON: { status: 400, remedy: 'Send one JSON object in UTF-8.' },
  INVALID_STRUCTURE: { status: 400, remedy: 'Send tenant_id, batch_id and rows as /openapi.json says.' },
  MALFORMED_REQUEST: { status: 400, remedy: 'Send HTTP/1.1 with a Host header and the length that the body has.' },
  UNSUPPORTED_BODY: { status: 400, remedy: 'Send application/json, as it is or with Content-Encoding: gzip.' },
  UNAUTHORIZED: { status: 401, remedy: "Send the tenant's own secret: Authorization: Bearer <secret>." },
  FORBIDDEN: { status: 403, remedy: 'Ask an admin for the role: `intake users add EMAIL --role operator`.' },
  NOT_FOUND: { status: 404, remedy: 'See /openapi.json.' },
  METHOD_NOT_ALLOWED: { status: 405, remedy: 'See /openapi.json.' },
  REQUEST_TIMEOUT: { status: 408, remedy: 'Send the head within 10 seconds and the whole request within 30.' },
  PAYLOAD_TOO_LARGE: { status: 413, remedy: 'Split the batch: at most 5000 rows and 5 MB, also after decompression.' },
  EXPECTATION_FAILED: { status: 417, remedy: 'Send Expect: 100-continue, or no Expect.' },
  INVALID_ROWS: { status: 422, remedy: 'Mend the rows at the listed paths and post the batch again.' },
  INVALID_QUERY: { status: 422, remedy: 'See /openapi.json for the parameters.' },
  TENANT_BUSY: { status: 429, remedy: 'Post again after Retry-After: a tenant has one batch at a time.' },
  RATE_LIMITED: { status: 429, remedy: 'Post again after Retry-After, one request a second.' },
  TOO_MANY_STREAMS: { status: 429, remedy: 'Close other pages of the dashboard, or load this one again by hand.' },
  GATEWAY_BUSY: { status: 429, remedy: 'Post again after Retry-After: too many bodies are being received.' },
  WRONG_HOST: { status: 421, remedy: 'The embedded stack answers to 127.0.0.1, localhost and [::1] alone.' },
  HEADERS_TOO_LARGE: { status: 431, remedy: 'Send less than 16 kB of headers.' },
  /** Nobody reads the answer; it is for log and metrics. */
  CLIENT_GONE: { status: 499, remedy: 'Send the request again.' },
  MERGE_PENDING: { status: 500, remedy: 'Post the same batch again: it joins its merge, which goes on.' },
  AUTH_UNAVAILABLE: {
    status: 503,
    remedy: 'Try again in a moment. When it stays so, look at the state of Auth in the project behind SUPABASE_URL.',
  },
  NOT_CONFIGURED: { status: 503, remedy: 'Set SUPABASE_URL and SUPABASE_ANON_KEY for the gateway.' },
} as const satisfies Record<string, { status: number; remedy: string }>;

/** Errors of the program that are no 500 for a client. One that is refused is mended by an operator: nobody should try again before. */
const STATUS: Partial<Record<ErrorCode, number>> = { WEBHOOK_FAILED: 502, WEBHOOK_REFUSED: 422 };

export type ProblemCode = keyof typeof PROBLEMS;

/** A place in the request and what is wrong there. */
export interface Issue {
  /** Such as `rows[3].residential`. */
  readonly path: string;
  readonly message: string;
}

export function issueOf({ path, message }: Pick<BaseIssue<unknown>, 'path' | 'message'>): Issue {
  const place = (path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return { path: place.replace(/^\./, ''), message };
}

export interface ProblemOptions {
  readonly cause?: unknown;
  readonly issues?: readonly Issue[];
  /** Seconds. */
  readonly retryAfter?: number;
  /** Methods of the page. */
  readonly allow?: string;
  /** In place of the table's. */
  readonly remedy?: string;
}

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly issues: readonly Issue[];
  readonly retryAfter: number | undefined;
  readonly allow: string | undefined;
  readonly status: number;
  readonly remedy: string;

  constructor(
    code: ProblemCode,
    message: string,
    { issues = [], retryAfter, allow, cause, remedy = PROBLEMS[code].remedy }: ProblemOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.issues = issues;
    this.retryAfter = retryAfter;
    this.allow = allow;
    this.status = PROBLEMS[code].status;
    this.remedy = remedy;
  }
}

export interface ProblemDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly path: string | null;
    readonly remedy: string;
    readonly issues?: readonly Issue[];
  };
  readonly correlation_id: string;
}

/** The status and the body that tell of an error; one that nobody foresaw is a 500 without its text. */
export function describeError(
  error: unknown,
  correlationId: string,
): { readonly status: number; readonly body: ProblemDocument } {
  if (error instanceof Problem) {
    const { code, message, issues, status, remedy } = error;
    const path = issues[0]?.path ?? null;
    return {
      status,
      body: {
        error: { code, message, path, remedy, ...(issues.length > 1 ? { issues } : {}) },
        correlation_id: correlationId,
      },
    };
  }
  const known =
    temporalFault(error) ??
    new IntakeError('INTERNAL', 'An unexpected error; the log of the gateway has it', { cause: error });
  return {
    status: STATUS[known.code] ?? 500,
    body: {
      error: { code: known.code, message: known.message, path: null, remedy: known.remedy },
      correlation_id: correlationId,
    },
  };
}
