/** Pages that say one thing: sign in, not for you, not there, not possible now. */
import { html } from 'hono/html';
import { page, type Frame } from './layout.ts';
import { prose, type Html } from './words.ts';

export interface SignIn {
  /** Where to go afterwards. */
  readonly next: string;
  readonly email?: string;
  /** What is wrong with the last attempt. */
  readonly wrong?: string;
}

export const signInPage = ({ next, email = '', wrong }: SignIn): Html =>
  page(
    { title: 'Sign in' },
    html` <section class="card narrow">
      <h1>Sign in</h1>
      ${wrong && html`<p class="notice bad" role="alert" id="wrong">${wrong}</p>`}
      <form method="post" action="/sign-in" class="stack">
        <input type="hidden" name="next" value="${next}" />
        <label>E-mail<input type="email" name="email" value="${email}" autocomplete="username" required /></label>
        <label>Password<input type="password" name="password" autocomplete="current-password" required /></label>
        <button class="primary">Sign in</button>
      </form>
      <p class="hint">
        No account? Whoever runs Intake makes one:<br /><code>intake users add EMAIL --role viewer</code>
      </p>
    </section>`,
  );

export const notConfiguredPage = (): Html =>
  page(
    { title: 'Not configured' },
    html` <section class="card narrow">
      <h1>Nobody can sign in yet</h1>
      <p>The dashboard signs people in with Supabase Auth. Give the gateway these variables and start it again:</p>
      <ul>
        <li><code>SUPABASE_URL</code>, the address of the project</li>
        <li><code>SUPABASE_ANON_KEY</code>, its public key</li>
        <li><code>SUPABASE_SERVICE_ROLE_KEY</code>, the key of the workers</li>
      </ul>
      <p>The embedded stack has them: <code>intake up</code>. Importing needs none of this.</p>
    </section>`,
  );

export const deniedPage = (email: string): Html =>
  page(
    { title: 'Access denied', person: { email } },
    html` <section class="card narrow">
      <h1>Access denied</h1>
      <p>You are signed in as <strong>${email}</strong>, but your roles do not open this page.</p>
      <p>Whoever runs Intake gives you another: <code>intake users add ${email} --role ROLE</code></p>
      <p><a href="/">Go to the overview</a></p>
    </section>`,
  );

/** @param back where the person came from. */
export const problemPage = (frame: Frame, message: string, remedy: string, code: string, back: string): Html =>
  page(
    frame,
    html` <section class="card narrow">
      <h1>${frame.title}</h1>
      <p>${message}.</p>
      <p class="hint">${prose(remedy)} <code>${code}</code></p>
      <p><a href="${back}">Back</a></p>
    </section>`,
  );
