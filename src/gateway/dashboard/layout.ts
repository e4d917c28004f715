/** The frame of every page: head, navigation, footer. */
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { ASSETS } from './assets.ts';
import type { Me } from '../userRows.ts';
import type { Html } from './words.ts';

export interface Frame {
  readonly title: string;
  /** Path of the page in the navigation. */
  readonly at?: string;
  /** The database that is looked at. */
  readonly target?: string;
  /** Undefined where nobody is signed in. */
  readonly person?: { readonly email: string; readonly me?: Me };
}

const PAGES = [
  ['/', 'Overview'],
  ['/runs', 'Runs'],
  ['/batches', 'Batches'],
  ['/anomalies', 'Anomalies'],
  ['/schedules', 'Schedules'],
] as const;

export function page({ title, at, target, person }: Frame, body: Html): Html {
  const links = person?.me ? PAGES.filter(([path]) => path !== '/anomalies' || person.me?.operates) : [];
  return html`${raw('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Intake</title>
        <link rel="icon" href="${ASSETS.icon.url}" />
        <link rel="stylesheet" href="${ASSETS.style.url}" />
        <script src="${ASSETS.script.url}" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/"
            ><svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M12 3v11m-5-4.5 5 5 5-5M4 15v4a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-4" /></svg
            >Intake</a
          >
          ${links.length > 0 && html`<nav aria-label="Pages">${links.map(([path, name]) => html`<a href="${path}" ${path === at ? raw(' aria-current="page"') : ''}>${name}</a>`)}</nav>`}
          ${person && html`<form class="person" method="post" action="/sign-out"><span class="email">${person.email}${person.me && html` <small>${roleOf(person.me)}</small>`}</span><button class="quiet">Sign out</button></form>`}
        </header>
        <main id="main" tabindex="-1">${body}</main>
        ${
          person?.me &&
          html`<footer>
            <p>Times are those of your browser. Every import is a durable workflow: what stops can be resumed.</p>
            ${target && html`<p>Database: ${target}</p>`}
          </footer>`
        }
      </body>
    </html>`;
}

function roleOf({ operates, tenants }: Me): string {
  const where = tenants.includes('*') ? 'all tenants' : tenants.join(', ');
  return `${operates ? 'Operator' : 'Viewer'} · ${where}`;
}

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A page as the answer; nothing but what the gateway serves may run on it. */
export const show = async (c: Context, body: Html, status = 200): Promise<Response> =>
  c.body(String(await body), status as 200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': CSP,
  });
