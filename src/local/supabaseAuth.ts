/** Auth of the embedded API as a project with closed sign-ups has it: people are made and given passwords by the service key alone. */
import { timingSafeEqual } from 'node:crypto';
import { sign } from 'hono/jwt';

export interface AuthOptions {
  readonly serviceRoleKey: string;
  readonly anonKey: string;
  readonly jwtSecret: string;
}

export type Handler = (request: Request) => Response | Promise<Response>;

/** What signing in, its renewal and its end need. What is left out makes people or sends mail. */
const OPEN = /^\/auth\/v1\/(?:token|user|logout|health|\.well-known\/.+)$/;
const PEOPLE = '/auth/v1/admin/users';

/** Answers a request for `/auth/v1`; `library` is the handler of the library, which has no admin API and takes whoever signs up. */
export async function serveAuth(request: Request, options: AuthOptions, library: Handler): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  if (OPEN.test(pathname)) return library(request);
  if (pathname === '/auth/v1/settings') {
    const answer = await library(request);
    return answer.ok ? Response.json({ ...((await answer.json()) as object), disable_signup: true }) : answer;
  }
  if (pathname === '/auth/v1/signup') return refused(422, 'signup_disabled', 'Signups not allowed for this instance');
  if (pathname !== PEOPLE && !pathname.startsWith(`${PEOPLE}/`)) return refused(404, 'not_found', 'Not found');
  if (!isServiceRole(request, options.serviceRoleKey))
    return refused(401, 'no_authorization', 'This endpoint needs the service key');

  const ask = (path: string, method: string, token: string, body: object): Promise<Response> =>
    Promise.resolve(
      library(
        new Request(`${origin}/auth/v1/${path}`, {
          method,
          headers: { apikey: options.anonKey, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    );
  const body = (await request.json().catch(() => ({}))) as { email?: unknown; password?: unknown };
  if (pathname === PEOPLE && request.method === 'POST') {
    const answer = await ask('signup', 'POST', options.anonKey, { email: body.email, password: body.password });
    if (!answer.ok) return answer;
    const made = (await answer.json()) as { user?: object };
    return Response.json(made.user ?? made);
  }
  if (request.method === 'PUT') {
    const token = await accessToken(pathname.slice(PEOPLE.length + 1), options.jwtSecret);
    return ask('user', 'PUT', token, { password: body.password });
  }
  return refused(405, 'method_not_allowed', 'Method not allowed');
}

const refused = (status: number, code: string, msg: string): Response =>
  Response.json({ code: status, error_code: code, msg }, { status });

function isServiceRole(request: Request, key: string): boolean {
  const sent = Buffer.from((request.headers.get('authorization') ?? '').replace(/^Bearer /i, ''));
  const wanted = Buffer.from(key);
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}

/** A person's own access token, of one minute, for what the library lets only themselves do. */
const accessToken = (userId: string, secret: string): Promise<string> => {
  const exp = Math.floor(Date.now() / 1000) + 60;
  return sign({ sub: decodeURIComponent(userId), role: 'authenticated', aud: 'authenticated', exp }, secret, 'HS256');
};
