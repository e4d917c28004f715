import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { startCli, type Cli, type Ended } from '../cli.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/intake.mjs', import.meta.url));

describe('intake users', function () {
  this.timeout(120_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
  });
  after(() => cli.stop());

  const signIn = async (email: string, password: string) => {
    const auth = createClient(cli.stack.supabaseUrl, cli.stack.anonKey, { auth: { persistSession: false } }).auth;
    const { data } = await auth.signInWithPassword({ email, password });
    return data.user?.id;
  };
  const rolesOf = async (email: string): Promise<string[]> => {
    const rows = await cli.query(
      'SELECT r.role, r.tenant_id FROM public.user_roles r JOIN auth.users u ON u.id = r.user_id WHERE u.email = $1 ORDER BY 1',
      [email],
    );
    return rows.map(({ role, tenant_id }) => `${role} ${tenant_id ?? '*'}`);
  };
  /** Runs with something on stdin. */
  const runWith = async (stdin: string, ...args: string[]): Promise<Ended> => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: cli.folder,
      env: { ...process.env, INTAKE_DIR: cli.stack.dir },
    });
    child.stdin.end(stdin);
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ]);
    return { code, stdout, stderr };
  };

  it('makes a person who can sign in with the password that is shown once, and gives the role', async () => {
    const { code, document } = await cli.json('users', 'add', 'ada@example.com', '--role', 'operator');
    assert.equal(code, 0);
    assert.equal(await signIn('ada@example.com', document.password), document.user_id);
    assert.deepEqual(
      { ...document, password: undefined, user_id: undefined },
      {
        email: 'ada@example.com',
        role: 'operator',
        tenant_id: null,
        created: true,
        granted: true,
        password: undefined,
        user_id: undefined,
      },
    );
    assert.deepEqual(await rolesOf('ada@example.com'), ['operator *']);
  });

  it('gives somebody who is there already another role, and leaves their password alone', async () => {
    const { document: first } = await cli.json(
      'users',
      'add',
      '--email',
      'bo@example.com',
      '--role',
      'viewer',
      '--tenant',
      'TELCO',
    );
    for (const granted of [true, false]) {
      const { document } = await cli.json('users', 'add', 'BO@example.com', '--role', 'admin');
      assert.deepEqual([document.created, document.granted, document.password], [false, granted, undefined]);
    }
    assert.ok(await signIn('bo@example.com', first.password));
    assert.deepEqual(await rolesOf('bo@example.com'), ['admin *', 'viewer TELCO']);
  });

  it('gives no role to an account that somebody else made, unless told whose it is', async () => {
    await cli.query(
      "INSERT INTO auth.users (id, email, encrypted_password, created_at) VALUES (gen_random_uuid(), 'victim@example.com', 'x', '2026-01-02')",
    );
    const refused = await cli.run('users', 'add', 'victim@example.com', '--role', 'admin');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /has an account already \(made on 2026-01-02, not confirmed\).*--keep-password/s);
    assert.deepEqual(await rolesOf('victim@example.com'), []);
    const { document } = await cli.json('users', 'passwd', 'victim@example.com');
    assert.equal(document.email, 'victim@example.com');
    const kept = await cli.run('users', 'add', 'victim@example.com', '--role', 'viewer', '--keep-password');
    assert.equal(kept.code, 0, kept.stderr);
    assert.deepEqual(await rolesOf('victim@example.com'), ['viewer *']);
  });

  it('gives a new password, which is then the only one, and refuses one that it would not use', async () => {
    const { document: first } = await cli.json('users', 'add', 'flo@example.com', '--role', 'viewer');
    const again = await runWith(
      'another password\n',
      ...'users add flo@example.com --role operator --password-stdin'.split(' '),
    );
    assert.deepEqual([again.code, await rolesOf('flo@example.com')], [2, ['viewer *']]);
    assert.match(again.stderr, /a role alone changes no password.*intake users passwd flo@example.com/s);
    const { document: made } = await cli.json('users', 'passwd', 'flo@example.com');
    assert.ok(await signIn('flo@example.com', made.password));
    assert.equal(await signIn('flo@example.com', first.password), undefined);
    const own = await runWith('a password of mine\n', 'users', 'passwd', 'flo@example.com', '--password-stdin');
    assert.equal(own.code, 0, own.stderr);
    assert.doesNotMatch(own.stdout, /of mine/);
    assert.ok(await signIn('flo@example.com', 'a password of mine'));
  });

  it('lets nobody sign up by themselves, nor make or change people without the service key', async () => {
    const { supabaseUrl, anonKey } = cli.stack;
    const { auth } = createClient(supabaseUrl, anonKey, { auth: { persistSession: false } });
    const credentials = { email: 'stranger@example.com', password: 'a long password' };
    assert.equal((await auth.signUp(credentials)).error?.code, 'signup_disabled');
    assert.ok((await auth.signInWithOtp({ email: 'stranger@example.com' })).error);
    assert.ok((await auth.admin.createUser(credentials)).error);
    const { data } = await auth.admin.updateUserById('00000000-0000-0000-0000-000000000000', {
      password: 'x'.repeat(9),
    });
    assert.equal(data.user, null);
    assert.deepEqual(await cli.query("SELECT 1 FROM auth.users WHERE email LIKE 'stranger%'"), []);
  });

  it('takes a password from stdin and does not show it', async () => {
    const { code, stdout, stderr } = await runWith(
      'a password of mine\n',
      'users',
      'add',
      'cy@example.com',
      '--role',
      'viewer',
      '--password-stdin',
    );
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /of mine/);
    assert.ok(await signIn('cy@example.com', 'a password of mine'));
    const short = await runWith('short\n', 'users', 'add', 'di@example.com', '--role', 'viewer', '--password-stdin');
    assert.deepEqual([short.code, /at least 8 characters/.test(short.stderr)], [2, true]);
    assert.deepEqual(await rolesOf('di@example.com'), []);
  });

  it('lists people with their roles, and takes roles away', async () => {
    await cli.json('users', 'add', 'eve@example.com', '--role', 'viewer');
    await cli.json('users', 'add', 'eve@example.com', '--role', 'operator', '--tenant', 'TELCO');
    const eve = async (): Promise<string[]> =>
      (await cli.json('users', 'list')).document
        .filter(({ email }: { email: string }) => email === 'eve@example.com')
        .map(({ role, tenant_id }: { role: string; tenant_id: string | null }) => `${role} ${tenant_id}`);
    assert.deepEqual(await eve(), ['operator TELCO', 'viewer null']);
    assert.equal((await cli.json('users', 'remove', 'eve@example.com', '--role', 'viewer')).document.roles, 1);
    assert.deepEqual(await eve(), ['operator TELCO']);
    await cli.json('users', 'add', 'eve@example.com', '--role', 'operator', '--tenant', 'OTHER');
    const one = await cli.json('users', 'remove', 'eve@example.com', '--role', 'operator', '--tenant', 'OTHER');
    assert.deepEqual([one.document.roles, await eve()], [1, ['operator TELCO']]);
    assert.equal((await cli.json('users', 'remove', 'eve@example.com')).document.roles, 1);
    assert.deepEqual(await eve(), []);
  });

  it('says what is missing or wrong', async () => {
    for (const [args, words] of [
      [['add', '--role', 'viewer'], /Give an e-mail address/],
      [['add', 'a@example.com'], /Which role/],
      [['add', 'a@example.com', '--role', 'king'], /operator, admin, viewer/],
      [['remove', 'nobody@example.com'], /no such person/],
      [['add', 'a@example.com', '--role', 'viewer', '--tenant', '*'], /Leave it away/],
    ] as const) {
      const { code, stderr } = await cli.run('users', ...args);
      assert.deepEqual([code, words.test(stderr)], [2, true], stderr);
    }
  });
});
