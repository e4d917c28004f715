/** Errors as pages: to the sign-in, access denied, or what is wrong with its remedy. */
import type { Context } from 'hono';
import type { Logger } from 'pino';
import { IntakeError } from '../../errors.ts';
import { describeError, Problem } from '../problem.ts';
import { show } from './layout.ts';
import { deniedPage, notConfiguredPage, problemPage } from './notices.ts';
import { claimsOf, forgetTokens, readTokens } from './session.ts';
import { SignedOut } from './visitor.ts';

/** Not of the gateway, but of what was asked of a run. */
const CONFLICTS = new Set([
  'USAGE',
  'ROLLBACK_REFUSED',
  'RUN_NOT_FOUND',
  'OBJECT_MISSING',
  'OBJECT_CORRUPT',
  'IN_PROGRESS',
  'RUN_CONFLICT',
  'ORPHANED',
]);

export const answerError =
  (log: Logger) =>
  (error: Error, c: Context): Response | Promise<Response> => {
    const listens = c.req.header('accept') === 'text/event-stream';
    const reads = c.req.method === 'GET';
    if (error instanceof SignedOut) {
      forgetTokens(c);
      if (listens) return c.body(null, 401);
      const { pathname, search } = new URL(c.req.url);
      return c.redirect(
        reads && pathname !== '/'
          ? `/sign-in?${new URLSearchParams({ next: pathname + search }).toString()}`
          : '/sign-in',
        303,
      );
    }
    const conflict = error instanceof IntakeError && CONFLICTS.has(error.code);
    const { status, body } = conflict
      ? { status: 409, body: { error: { ...error } } }
      : describeError(error, c.get('correlationId') as string);
    if (status >= 500)
      log.error({ code: body.error.code, correlationId: c.get('correlationId') as string, err: error }, 'page failed');
    if (listens) return c.body(null, (status < 500 ? status : 503) as 403);
    if (error instanceof Problem && error.code === 'NOT_CONFIGURED') return show(c, notConfiguredPage(), status);
    const { email } = claimsOf(readTokens(c)?.access ?? '');
    if (error instanceof Problem && error.code === 'FORBIDDEN' && email) return show(c, deniedPage(email), status);
    const title = status === 404 ? 'Not found' : conflict ? 'Not possible now' : 'Something went wrong';
    const back = c.req.path.startsWith('/runs/') && !reads ? c.req.path.split('/').slice(0, 3).join('/') : '/';
    return show(
      c,
      problemPage(
        { title, ...(email ? { person: { email } } : {}) },
        error instanceof Problem || error instanceof IntakeError ? error.message : 'An unexpected error',
        body.error.remedy,
        body.error.code,
        back,
      ),
      status,
    );
  };
