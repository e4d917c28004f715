/** `intake users`: who may look at the dashboard and what they may do there. People are Supabase Auth's, roles are rows of user_roles. */
import { shellWord } from '../../values/text.ts';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { createClient } from '@supabase/supabase-js';
import { Option, type Command } from 'commander';
import type { SupabaseConfig } from '../../config.ts';
import { IntakeError } from '../../errors.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands } from '../subcommands.ts';
import { renderTable } from '../display/table.ts';

interface Flags extends CommonOptions {
  readonly email?: string;
  readonly role?: string;
  readonly tenant?: string;
  readonly passwordStdin?: boolean;
  readonly keepPassword?: boolean;
}

const COLUMNS = ['email', 'role', 'tenant_id', 'created_at'];
const SHORTEST = 8;

export function define(program: Command): void {
  const who = ['[email]', 'who (or --email)'] as const;
  const email = new Option('--email <address>', 'the same as the argument');
  const role = new Option('--role <role>', 'viewer looks, operator also acts, admin also edits directories').choices([
    'operator',
    'admin',
    'viewer',
  ]);
  const tenant = new Option('--tenant <tenant>', 'only the projects of this tenant; without it everything');
  const stdin = new Option('--password-stdin', 'read the new password from stdin; without it one is made and shown');
  const keep = new Option('--keep-password', 'the account that is there is theirs, and so is its password');
  const example = 'intake users add ada@example.com --role operator\nintake users list';
  addSubcommands<Flags>(addCommand(program, 'users', 'Grant, list and revoke dashboard roles', example), {
    list: {
      summary: 'List people and their roles',
      example: 'intake users list --output jsonl',
      body: list,
      lists: true,
      isDefault: true,
    },
    add: {
      summary: 'Give a role to a person, who gets an account if need be',
      args: [who],
      options: [email, role, tenant, stdin, keep],
      example:
        'intake users add ada@example.com --role operator\nintake users add telco@example.com --role viewer --tenant TELCO --password-stdin < password.txt',
      body: add,
    },
    remove: {
      summary: 'Take roles from a person: all, or the named one',
      args: [who],
      options: [email, role, tenant],
      example: 'intake users remove ada@example.com --role viewer --tenant TELCO',
      body: remove,
    },
    passwd: {
      summary: 'Give a person a new password',
      args: [who],
      options: [email, stdin],
      example: 'intake users passwd ada@example.com',
      body: passwd,
    },
  });
}

async function add(call: Call<Flags>): Promise<void> {
  const {
    options: { role, tenant, passwordStdin, keepPassword },
    out,
    open,
  } = call;
  const email = emailOf(call);
  if (!role)
    throw new IntakeError('USAGE', 'Which role?', { remedy: 'Write --role operator, --role admin or --role viewer.' });
  if (tenant === '*' || tenant?.trim() === '')
    throw new IntakeError('USAGE', '--tenant is one tenant', { remedy: 'Leave it away for all tenants.' });
  const session = await open({ creates: true });
  const backend = await session.backend();
  const known = await backend.call('find_person', { email });
  const own = passwordStdin ? await readPassword() : undefined;
  if (known) assertTheirs(email, known, { keepPassword, own });
  const password = known ? own : (own ?? newPassword());
  if (password !== undefined) await setPassword(session.config.supabase, email, password, known?.user_id);
  const granted = await backend.call('grant_role', { email, role, tenant_id: tenant ?? null });
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
    created: !known,
    granted: granted.granted,
    ...(shown ? { password: shown } : {}),
  });
  out.detail(`${email} is ${role} of ${tenant ?? 'all tenants'}${granted.granted ? '' : ' already'}.`);
  if (known && !known.confirmed) out.detail('Their address was never confirmed.');
  if (known && own) out.detail('Their account was there; its password is the new one.');
  show(out, shown);
}

/**
 * Whoever made an account knows its password. One that has roles is known here; of another somebody must say whose it is.
 * @throws IntakeError USAGE.
 */
function assertTheirs(
  email: string,
  {
    roles,
    created_at: since,
    confirmed,
  }: { readonly roles: number; readonly created_at: string; readonly confirmed: boolean },
  { keepPassword, own }: { readonly keepPassword: boolean | undefined; readonly own: string | undefined },
): void {
  if (roles > 0 && own !== undefined)
    throw new IntakeError('USAGE', `${email} has an account and roles: a role alone changes no password`, {
      remedy: `Leave --password-stdin away, or give a new password: intake users passwd ${shellWord(email)} --password-stdin.`,
    });
  if (roles > 0 || keepPassword || own !== undefined) return;
  const made = `made on ${since.slice(0, 10)}, ${confirmed ? 'confirmed' : 'not confirmed'}`;
  throw new IntakeError('USAGE', `${email} has an account already (${made}), and whoever made it knows its password`, {
    remedy:
      'If it is theirs, add --keep-password; else give it a new one: --password-stdin, or `intake users passwd` first.',
  });
}

async function passwd(call: Call<Flags>): Promise<void> {
  const { options, out, open } = call;
  const email = emailOf(call);
  const session = await open();
  const known = await (await session.backend()).call('find_person', { email });
  if (!known) throw new IntakeError('USAGE', 'There is no such person', { remedy: 'See intake users list.' });
  const own = options.passwordStdin ? await readPassword() : undefined;
  const password = own ?? newPassword();
  await setPassword(session.config.supabase, email, password, known.user_id);
  out.document({ email, user_id: known.user_id, ...(own ? {} : { password }) });
  out.detail(`${email} has a new password.`);
  show(out, own ? undefined : password);
}

const newPassword = (): string => randomBytes(15).toString('base64url');

function show(out: Call<Flags>['out'], password: string | undefined): void {
  if (password === undefined) return;
  out.detail('Their password, which is not shown again:');
  out.answer(password);
}

async function remove(call: Call<Flags>): Promise<void> {
  const {
    options: { role, tenant },
    out,
    open,
  } = call;
  const email = emailOf(call);
  const roles = await (
    await (await open()).backend()
  ).call('revoke_roles', {
    email,
    role: role ?? null,
    tenant_id: tenant ?? null,
  });
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

/**
 * Makes a person with this password, or gives it to the one of this id.
 * @throws IntakeError.
 */
async function setPassword(
  supabase: SupabaseConfig | undefined,
  email: string,
  password: string,
  userId?: string,
): Promise<void> {
  if (!supabase) throw new IntakeError('CONFIG_INVALID', 'People sign in with Supabase Auth: SUPABASE_URL is not set');
  const options = { auth: { persistSession: false, autoRefreshToken: false } };
  const { admin } = createClient(supabase.url, supabase.serviceKey, options).auth;
  const { error } = await (userId
    ? admin.updateUserById(userId, { password })
    : admin.createUser({ email, password, email_confirm: true }));
  if (!error) return;
  if (error.status === 422 || error.code === 'weak_password') {
    throw new IntakeError('USAGE', 'Supabase Auth refuses the address or the password', {
      cause: error,
      remedy: 'Give a longer password with --password-stdin.',
    });
  }
  const what = userId ? 'changes no passwords' : 'does not make people';
  throw new IntakeError('DATABASE_DENIED', `Supabase Auth ${what} (${error.status ?? 'no connection'})`, {
    cause: error,
    remedy: 'Check SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY.',
  });
}
