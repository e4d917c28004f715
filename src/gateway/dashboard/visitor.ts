/** Who asks: every page is made for a signed-in person, whose token goes along with every question to the database. */
import type { Context } from 'hono';
import type { SupabaseConfig } from '../../config.ts';
import { asUser, type UserClient } from '../userClient.ts';
import { Problem } from '../problem.ts';
import { claimsOf, forgetTokens, keepTokens, readTokens, type Sessions } from './session.ts';

export interface Visitor {
  readonly email: string;
  /** As their token says it; the database checks the token with every call. */
  readonly id: string;
  /** See UserClient. @throws Problem SIGNED_OUT, FORBIDDEN. */
  call: UserClient['call'];
}

/** Nobody is signed in, or not any more: the way back leads over the sign-in page. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}

/** @throws SignedOut; Problem NOT_CONFIGURED, AUTH_UNAVAILABLE. */
export async function visitorOf(
  c: Context,
  sessions: Sessions,
  supabase: SupabaseConfig | undefined,
): Promise<Visitor> {
  const kept = readTokens(c);
  const tokens = kept && (await sessions.renew(kept));
  if (kept && !tokens) forgetTokens(c);
  if (!tokens) throw new SignedOut();
  if (tokens !== kept) keepTokens(c, tokens);
  const client = asUser(supabase, tokens.access);
  const claims = claimsOf(tokens.access);
  return {
    email: claims.email,
    id: claims.sub,
    async call(fn, args, options) {
      try {
        return await client.call(fn, args, options);
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'UNAUTHORIZED')) throw error;
        forgetTokens(c);
        throw new SignedOut();
      }
    },
  };
}

/** A page of this dashboard, or the overview: never another site. */
export const ownPath = (path: string | undefined): string =>
  path && /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !path.includes('\\') ? path : '/';

/** Browsers say where a form was sent from. @throws Problem FORBIDDEN for another site, or a client that does not say. */
export function requireOwnOrigin(c: Context): void {
  const { origin, host, 'sec-fetch-site': site = 'same-origin' } = c.req.header();
  const from = origin && URL.canParse(origin) ? new URL(origin).host : undefined;
  if (from === undefined || from !== host || site !== 'same-origin')
    throw new Problem('FORBIDDEN', 'This form was not sent by a page of the dashboard');
}
