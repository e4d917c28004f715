/** `intake users`: who may look at the dashboard and what they may do there. People are Supabase Auth's, roles are rows of user_roles. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createClient } from '@supabase/supabase-js';
import { Argument, Option, type Command } from 'commander';
import type { SupabaseConfig } from '../../config.ts';
import { IntakeError } from '../../errors.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { renderTable } from '../display/table.ts';

interface Flags extends CommonOptions {
  readonly email?: string;
  readonly role?: string;
  readonly tenant?: string;
  readonly passwordStdin?: boolean;
}

const COLUMNS = ['email', 'role', 'tenant_id', 'created_at'];
const SHORTEST = 8;

export function define(program: Command): void {
  const example = [
    'intake users add ada@example.com --role operator',
    'intake users add telco@example.com --role viewer --tenant TELCO --password-stdin < password.txt',
    'intake users remove ada@example.com --role operator',
  ].join('\n');
  addCommand(program, 'users', 'Let people into the dashboard, list them, take their roles', example)
    .addArgument(new Argument('[what]', 'what to do').choices(['add', 'list', 'remove']).default('list'))
    .argument('[email]', 'who (or --email)')
    .option('--email <address>', 'the same as the argument')
    .addOption(
      new Option('--role <role>', 'viewer looks, operator also acts, admin also edits directories').choices([
        'operator',
        'admin',
        'viewer',
      ]),
    )
    .option('--tenant <tenant>', 'only the projects of this tenant; without it everything')
    .option('--password-stdin', "read a new person's password from stdin; without it one is made and shown")
    .action(
      run((call: Call<Flags>) =>
        call.args[0] === 'add' ? add(call) : call.args[0] === 'remove' ? remove(call) : list(call),
      ),
    );
}

async function add(call: Call<Flags>): Promise<void> {
  const {
    options: { role, tenant, passwordStdin },
    out,
    open,
  } = call;
  const email = emailOf(call);
  if (!role)
    throw new IntakeError('USAGE', 'Which role?', { remedy: 'Write --role operator, --role admin or --role viewer.' });
  if (tenant === '*' || tenant?.trim() === '')
    throw new IntakeError('USAGE', '--tenant is one tenant', { remedy: 'Leave it away for all tenants.' });
  const session = await open();
  const backend = await session.backend();
  const grant = () =>
    backend.call('grant_role', {
      email,
      role,
      tenant_id: tenant ?? null,
    });
  let password: string | undefined;
  let granted = await grant();
  if (!granted) {
    password = passwordStdin ? await readPassword() : randomBytes(15).toString('base64url');
    await createPerson(session.config.supabase, email, password);
    granted = await grant();
  }
  if (!granted)
    throw new IntakeError('INTERNAL', 'Supabase Auth made the person, but its database does not show them', {
      remedy: 'Check that DATABASE_URL and SUPABASE_URL are of one project.',
    });
  const shown = passwordStdin ? undefined : password;
  out.document({
    email,
    user_id: granted.user_id,
    role,
    tenant_id: tenant ?? null,
    created: password !== undefined,
    granted: granted.granted,
    ...(shown ? { password: shown } : {}),
  });
  out.detail(`${email} is ${role} of ${tenant ?? 'all tenants'}${granted.granted ? '' : ' already'}.`);
  if (shown) {
    out.detail('Their password, which is not shown again:');
    out.answer(shown);
  }
}

async function remove(call: Call<Flags>): Promise<void> {
  const {
    options: { role },
    out,
    open,
  } = call;
  const email = emailOf(call);
  const roles = await (await (await open()).backend()).call('revoke_roles', { email, role: role ?? null });
  if (roles === null) throw new IntakeError('USAGE', 'There is no such person', { remedy: 'See intake users list.' });
  out.document({ email, roles });
  out.answer(`${email} lost ${roles} ${roles === 1 ? 'role' : 'roles'}; signing in gives access to what is left.`);
}

async function list({ out, open }: Call<Flags>): Promise<void> {
  const people = await (await (await open()).backend()).call('list_people', {});
  out.document(people);
  if (people.length === 0) out.detail('Nobody yet: intake users add EMAIL --role operator');
  else for (const line of renderTable(people, COLUMNS)) out.answer(line);
}

function emailOf({ args: [, argument], options }: Call<Flags>): string {
  const email = (options.email ?? argument ?? '').trim();
  if (!/^[^\s@]+@[^\s@]+$/.test(email))
    throw new IntakeError('USAGE', 'Who?', {
      remedy: 'Give an e-mail address: intake users add ada@example.com --role viewer.',
    });
  return email;
}

async function readPassword(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password.length < SHORTEST) throw new IntakeError('USAGE', `A password has at least ${SHORTEST} characters`);
  return password;
}

/** Through the admin API; the embedded stack has none, but confirms whoever signs up. @throws IntakeError. */
async function createPerson(supabase: SupabaseConfig | undefined, email: string, password: string): Promise<void> {
  if (!supabase) throw new IntakeError('CONFIG_INVALID', 'People sign in with Supabase Auth: SUPABASE_URL is not set');
  const auth = (key: string) =>
    createClient(supabase.url, key, { auth: { persistSession: false, autoRefreshToken: false } }).auth;
  let { error } = await auth(supabase.serviceKey).admin.createUser({ email, password, email_confirm: true });
  if ((error?.status === 401 || error?.status === 404) && (await signsUp(supabase))) {
    ({ error } = await auth(supabase.anonKey!).signUp({ email, password }));
  }
  if (!error) return;
  if (error.status === 422 || error.code === 'weak_password') {
    throw new IntakeError('USAGE', 'Supabase Auth refuses the address or the password', {
      cause: error,
      remedy: 'Give a longer password with --password-stdin.',
    });
  }
  throw new IntakeError('DATABASE_DENIED', `Supabase Auth does not make people (${error.status ?? 'no connection'})`, {
    cause: error,
    remedy: 'Check SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY.',
  });
}

/** Whether signing up makes a person who may sign in at once. */
async function signsUp({ url, anonKey }: SupabaseConfig): Promise<boolean> {
  if (!anonKey) return false;
  const response = await fetch(`${url}/auth/v1/settings`, { headers: { apikey: anonKey } });
  const { mailer_autoconfirm: confirms, disable_signup: closed } = (await response.json()) as Record<string, unknown>;
  return confirms === true && closed !== true;
}
