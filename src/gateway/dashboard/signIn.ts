/** The ways in and out. */
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Hono, MiddlewareHandler } from 'hono';
import { Problem } from '../problem.ts';
import type { GatewayEnv } from '../request.ts';
import { createBuckets, SIGN_IN_RATE, SIGN_IN_RATE_OF_ADDRESS } from '../limits/rateLimit.ts';
import { show } from './layout.ts';
import { signInPage } from './notices.ts';
import { forgetTokens, keepTokens, readTokens, type Sessions } from './session.ts';
import { ownPath, requireOwnOrigin } from './visitor.ts';

/** @param small refuses large forms. */
export function addSignIn(app: Hono<GatewayEnv>, sessions: Sessions, small: MiddlewareHandler): void {
  app.get('/sign-in', (c) => {
    if (!sessions.configured)
      throw new Problem('NOT_CONFIGURED', 'SUPABASE_URL and SUPABASE_ANON_KEY are not set: nobody can sign in');
    return show(c, signInPage({ next: ownPath(c.req.query('next')) }));
  });
  const attempt = createBuckets(SIGN_IN_RATE);
  const attemptFrom = createBuckets(SIGN_IN_RATE_OF_ADDRESS);
  app.post('/sign-in', small, async (c) => {
    requireOwnOrigin(c);
    const form = await c.req.parseBody();
    const [email, password, next] = ['email', 'password', 'next'].map((name) =>
      typeof form[name] === 'string' ? form[name] : '',
    ) as [string, string, string];
    const from = getConnInfo(c).remote.address ?? '';
    const wait = email && password ? Math.max(attempt(`${from} ${email.trim().toLowerCase()}`), attemptFrom(from)) : 0;
    if (wait > 0) {
      c.header('retry-after', String(wait));
      return show(
        c,
        signInPage({
          next: ownPath(next),
          email,
          wrong: 'Too many attempts for this address. Wait a minute, then try again.',
        }),
        429,
      );
    }
    const tokens =
      email && password && !`${email}${password}`.includes('\0') ? await sessions.signIn(email, password) : undefined;
    if (!tokens)
      return show(
        c,
        signInPage({
          next: ownPath(next),
          email,
          wrong: 'This address and password do not belong together. Try again.',
        }),
        401,
      );
    keepTokens(c, tokens);
    return c.redirect(ownPath(next), 303);
  });
  app.post('/sign-out', async (c) => {
    requireOwnOrigin(c);
    const tokens = readTokens(c);
    forgetTokens(c);
    if (tokens) await sessions.signOut(tokens);
    return c.redirect('/sign-in', 303);
  });
}
