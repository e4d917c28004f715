/** Signing in with Supabase Auth: the person's tokens live in a cookie of the browser, nothing of them in the gateway. */
import { createClient, type Session } from '@supabase/supabase-js';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { decode } from 'hono/jwt';
import type { SupabaseConfig } from '../../config.ts';
import { rememberingFetch } from '../../database/http.ts';
import type { IntakeError } from '../../errors.ts';
import { Problem } from '../problem.ts';

export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

export interface Sessions {
  /** Whether anybody can sign in. */
  readonly configured: boolean;
  /** Undefined for a wrong address or password. @throws Problem NOT_CONFIGURED, AUTH_UNAVAILABLE. */
  signIn(email: string, password: string): Promise<Tokens | undefined>;
  /** The tokens themselves, or new ones where they are about to expire; undefined when the session is over. */
  renew(tokens: Tokens): Promise<Tokens | undefined>;
  signOut(tokens: Tokens): Promise<void>;
}

const COOKIE = 'intake_session';
/** Browsers take a cookie of this name over TLS and from this very host alone. */
const TLS_COOKIE = `__Host-${COOKIE}`;
const WEEK = 7 * 24 * 3600;
/** An access token is renewed so long before its end, seconds. */
const EARLY = 60;
const ANSWER_MS = 10_000;
/** Longer than any access token lives. */
const TOKEN_MS = 24 * 3_600_000;
/** Requests of one page that come at once renew once; those that come a little later with the former cookie get the same. */
const SHARED_MS = 10_000;

/** @param supabase undefined, or without its public key: nobody can sign in. */
export function createSessions(supabase: SupabaseConfig | undefined): Sessions {
  const renewals = new Map<string, Promise<Tokens | undefined>>();
  /** Tokens of those who signed out: an access token is good until its end, wherever it is checked. */
  const left = new Set<string>();
  const open = () => {
    if (!supabase?.anonKey)
      throw new Problem('NOT_CONFIGURED', 'SUPABASE_URL and SUPABASE_ANON_KEY are not set: nobody can sign in');
    const { fetch, fault } = rememberingFetch('Supabase Auth', ANSWER_MS);
    const client = createClient(supabase.url, supabase.anonKey, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      global: { fetch },
    });
    return { auth: client.auth, fault };
  };
  async function ask(refresh: string): Promise<Tokens | undefined> {
    const { auth, fault } = open();
    const { data, error } = await auth.refreshSession({ refresh_token: refresh });
    return tokensOf(data.session, error, fault());
  }
  return {
    configured: supabase?.anonKey !== undefined,
    async signIn(email, password) {
      const { auth, fault } = open();
      const { data, error } = await auth.signInWithPassword({ email, password });
      return tokensOf(data.session, error, fault());
    },
    async renew(tokens) {
      if (left.has(tokens.refresh) || left.has(tokens.access)) return undefined;
      if (claimsOf(tokens.access).exp > Date.now() / 1000 + EARLY) return tokens;
      let renewal = renewals.get(tokens.refresh);
      if (!renewal) {
        renewals.set(tokens.refresh, (renewal = ask(tokens.refresh)));
        setTimeout(() => renewals.delete(tokens.refresh), SHARED_MS).unref();
      }
      return renewal;
    },
    async signOut({ access, refresh }) {
      // The cookie goes in any case, and whoever kept a copy is told no here; Auth forgets the session if it can be told.
      for (const token of [access, refresh]) left.add(token);
      setTimeout(() => [access, refresh].forEach((token) => left.delete(token)), TOKEN_MS).unref();
      await open()
        .auth.admin.signOut(access, 'local')
        .catch(() => undefined);
    },
  };
}

function tokensOf(
  session: Session | null,
  error: { status?: number | undefined } | null,
  fault: IntakeError | undefined,
): Tokens | undefined {
  if (session) return { access: session.access_token, refresh: session.refresh_token };
  const { status = 0 } = error ?? {};
  if (status === 429) throw new Problem('RATE_LIMITED', 'Supabase Auth asks for a pause', { retryAfter: 30 });
  if (status < 400 || status >= 500)
    throw fault
      ? new Problem('AUTH_UNAVAILABLE', fault.message, { cause: fault, remedy: fault.remedy })
      : new Problem('AUTH_UNAVAILABLE', `Supabase Auth answers ${status}`, { cause: error });
  return undefined;
}

/** What a token says of its holder. Only for display, for counting and for its end: the API checks the signature with every call. */
export function claimsOf(token: string): { readonly email: string; readonly sub: string; readonly exp: number } {
  try {
    const { email, sub, exp } = decode(token).payload as Record<string, unknown>;
    return {
      email: typeof email === 'string' ? email : '',
      sub: typeof sub === 'string' ? sub : '',
      exp: typeof exp === 'number' ? exp : 0,
    };
  } catch {
    return { email: '', sub: '', exp: 0 };
  }
}

export function readTokens(c: Context): Tokens | undefined {
  const [access, refresh] = (getCookie(c, cookieName(c)) ?? '').split('~');
  return access && refresh ? { access, refresh } : undefined;
}

/** Scripts cannot read it, other sites cannot send it. */
export function keepTokens(c: Context, { access, refresh }: Tokens): void {
  setCookie(c, cookieName(c), `${access}~${refresh}`, { ...attributes(c), maxAge: WEEK });
}

export function forgetTokens(c: Context): void {
  deleteCookie(c, cookieName(c), attributes(c));
}

const overTls = (c: Context): boolean =>
  new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https';

const cookieName = (c: Context): string => (overTls(c) ? TLS_COOKIE : COOKIE);

const attributes = (c: Context) => ({ path: '/', httpOnly: true, sameSite: 'Strict', secure: overTls(c) }) as const;
