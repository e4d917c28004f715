/** Settings: what is wrong is said at the start, all at once, by name, and never with its value. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { idleSettings } from '../src/settings/idle.ts';
import { loadConfig } from '../src/config.ts';
import { IntakeError } from '../src/errors.ts';
import { parseDatabaseAddress, shownDatabaseAddress } from '../src/settings/databaseAddress.ts';

/** What people have as passwords, and what generators make. */
const PASSWORDS = [
  ...[
    'plain',
    'a@b',
    '@',
    'a@',
    '@a',
    'p@ss@word',
    'a/b',
    '/',
    '12345/secret',
    'a?b',
    '?',
    'x?sslmode=disable',
    'pg#1',
    '#',
    'a#b@c',
  ],
  ...[
    'a:b',
    ':',
    'a:b@c',
    'special:a@b#c/d?e%f[g',
    'a%b',
    '%',
    '%zz',
    '%41',
    '100%',
    'a b',
    ' a',
    'a ',
    'tab\there',
    'a\\b',
    '\\\\',
  ],
  ...[
    '[a]',
    'a]b',
    '{x}',
    '<x>',
    'a"b',
    "a'b",
    'a&b=c',
    'a+b',
    'a=b',
    'a;b',
    'a,b',
    'a|b',
    'a^b',
    'a`b',
    '$HOME',
    '!x',
    '~x',
    '(x)',
    '*',
  ],
  ...[
    'pässwörd',
    '密码',
    '🔑',
    'a\u00a0b',
    'é\u0301',
    'postgresql://x:y@z/w',
    '@localhost:1/x',
    'localhost',
    '-',
    '_',
    '.',
    '..',
    '0',
  ],
];
const HOSTS = ['127.0.0.1:45432', 'db.example.com', '[::1]:5432', 'aws-0-eu-central-1.pooler.supabase.com:6543'];

function faultsOf(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env);
    return '';
  } catch (error) {
    assert.ok(error instanceof IntakeError, String(error));
    assert.deepEqual([error.code, error.exitCode], ['CONFIG_INVALID', 2]);
    return error.message;
  }
}
const jwt = (claims: object): string =>
  ['{"alg":"HS256"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('the configuration', () => {
  it(`reads each of ${PASSWORDS.length} odd passwords as it is when it is escaped`, () => {
    for (const password of PASSWORDS)
      for (const host of HOSTS) {
        const address = parseDatabaseAddress(`postgresql://us.er:${encodeURIComponent(password)}@${host}/data%20base`);
        assert.ok(typeof address === 'object', `${password} ${address as string}`);
        assert.deepEqual([address.password, address.user, address.database], [password, 'us.er', 'data base']);
        assert.equal(address.host, host.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
      }
  });

  it('never takes one that is not escaped for another, and shows no part of it', () => {
    for (const password of PASSWORDS)
      for (const host of HOSTS) {
        const url = `postgresql://postgres:${password}@${host}/postgres`;
        const address = parseDatabaseAddress(url);
        const decodes = password === '%41' ? 'A' : password;
        if (typeof address === 'object')
          assert.deepEqual([address.password, address.database], [decodes, 'postgres'], url);
        else assert.match(address, /escape|%40|blank/, url);
        for (const shown of [
          shownDatabaseAddress(url),
          faultsOf({ DATABASE_URL: url }),
          typeof address === 'string' ? address : '',
        ])
          // Parts that the sentence or the place has by itself prove nothing.
          if (password.length > 4 && !/^postgres|localhost|plain$/.test(password))
            assert.ok(!shown.includes(password), `${password} in ${shown}`);
        assert.ok(!shownDatabaseAddress(url).includes('secret'), url);
      }
  });

  it('says which characters to escape, and how', () => {
    for (const password of ['a@b', 'a/b', 'a?b', 'pg#1', '100%'])
      assert.match(
        faultsOf({ DATABASE_URL: `postgresql://postgres:${password}@h/d` }),
        /DATABASE_URL: .*@ as %40.*\/ as %2F.*# as %23/,
      );
  });

  it('encrypts to hosts that are not local unless sslmode says otherwise', () => {
    const mode = (url: string, env = {}) => (parseDatabaseAddress(url, env) as { sslMode: string }).sslMode;
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.8.8.8:1'])
      assert.equal(mode(`postgresql://u@${host}/d`), 'disable');
    assert.equal(mode('postgresql:///d?host=/var/run/postgresql'), 'disable');
    for (const host of ['10.0.0.1', 'db.example.com', 'database', '[2a05::1]']) {
      assert.equal(mode(`postgresql://u@${host}/d`), 'require');
      assert.equal(mode(`postgresql://u@${host}/d?sslmode=disable`), 'disable');
      assert.equal(mode(`postgresql://u@${host}/d`, { PGSSLMODE: 'verify-full' }), 'verify-full');
    }
  });

  it('refuses a DATABASE_URL that means nothing, by what is wrong', () => {
    for (const [url, words] of [
      ['mysql://u:p@h/d', /postgresql:\/\/user:password@host/],
      ['h:5432/d', /postgresql:\/\/user/],
      ['postgresql://u:p@h:99999/d', /port/],
      ['postgresql://u:p@h:port/d', /port/],
      ['postgresql://u:p@h1,h2/d', /several hosts/],
      ['postgresql://u:p@h/d?sslmode=on', /sslmode is one of disable, allow, prefer, require, verify-ca, verify-full/],
      ['postgresql://u:p@h/d?sslmdoe=require', /parameter sslmdoe/],
      ['postgresql://u:p@h/d/e', /path/],
      ['postgresql://u:p@h_!/d', /host/],
      ['postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=/no/such.pem', /sslrootcert cannot be read/],
    ] as const)
      assert.match(faultsOf({ DATABASE_URL: url }), words, url);
    for (const url of [
      ' postgresql://u:p@h/d ',
      'postgres://u:p@h:6543/d?pgbouncer=true&supa=base-pooler.x',
      'postgresql://h',
      'postgresql:///d',
      'postgresql://u:p@h/d?sslmode=require&uselibpqcompat=true&connect_timeout=5&application_name=x',
    ])
      assert.equal(faultsOf({ DATABASE_URL: url }), '', url);
  });

  it('takes a SUPABASE_URL with or without a slash, and refuses one with a path by its right form', () => {
    const ref = 'https://abcdefghijklmnopqrst.supabase.co';
    for (const url of [ref, `${ref}/`, `${ref}//`, ` ${ref}/ `])
      assert.equal(loadConfig({ SUPABASE_URL: url, SUPABASE_SECRET_KEY: 'k' }).supabase?.url, ref);
    for (const path of ['/rest/v1', '/rest/v1/', '/storage/v1', '?x=1'])
      assert.match(
        faultsOf({ SUPABASE_URL: `${ref}${path}`, SUPABASE_SECRET_KEY: 'k' }),
        new RegExp(`SUPABASE_URL: it has a path; write it as ${ref}$`),
      );
    assert.match(
      faultsOf({ SUPABASE_URL: 'https://supabase.com/dashboard/project/x', SUPABASE_SECRET_KEY: 'k' }),
      /dashboard's address/,
    );
    assert.match(
      faultsOf({ SUPABASE_URL: 'abcdefghijklmnopqrst', SUPABASE_SECRET_KEY: 'k' }),
      /https:\/\/<project-ref>/,
    );
  });

  it('tells keys apart before anything is asked', () => {
    const url = 'https://abcdefghijklmnopqrst.supabase.co';
    const later = Math.floor(Date.now() / 1000) + 3600;
    const secret = (key: string) => faultsOf({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key });
    const open = (key: string) =>
      faultsOf({ SUPABASE_URL: url, SUPABASE_SECRET_KEY: 'sb_secret_x', SUPABASE_ANON_KEY: key });
    const ours = { ref: 'abcdefghijklmnopqrst', exp: later };
    for (const [found, words] of [
      [secret('sb_publishable_abc'), /SUPABASE_SERVICE_ROLE_KEY: it is the publishable key/],
      [secret(jwt({ ...ours, role: 'anon' })), /key of role anon; give the one of service_role/],
      [secret(jwt({ ...ours, role: 'service_role', ref: 'zzzzzzzzzzzzzzzzzzzz' })), /another project/],
      [secret(jwt({ ...ours, role: 'service_role', exp: 1_600_000_000 })), /expired on 2020-09-13/],
      [secret('sb_secret_ab cd'), /blanks/],
      [open('sb_secret_abc'), /SUPABASE_ANON_KEY: it is the secret key, which opens everything/],
      [open(jwt({ ...ours, role: 'service_role' })), /key of service_role/],
    ] as const)
      assert.match(found, words);
    for (const right of [
      secret('sb_secret_abc'),
      secret(jwt({ ...ours, role: 'service_role' })),
      secret('some.custom.key'),
      open(jwt({ ...ours, role: 'anon' })),
    ])
      assert.equal(right, '');
  });

  it('names settings that count for nothing, and what counts instead', () => {
    const cloud = { TEMPORAL_NAMESPACE: 'prod.x', TEMPORAL_API_KEY: 'SECRET' };
    assert.deepEqual(idleSettings({ ...cloud, TEMPORAL_ADDRESS: 'h:7233', SUPABASE_ANON_KEY: ' ' }), []);
    assert.deepEqual(idleSettings({ TEMPORAL_NAMESPACE: 'default' }), []);
    assert.deepEqual(idleSettings(cloud), [
      'TEMPORAL_ADDRESS is not set: the embedded stack is used, and nothing of TEMPORAL_NAMESPACE, TEMPORAL_API_KEY',
    ]);
    assert.deepEqual(idleSettings({ ...cloud, DATABASE_URL: 'postgresql://h/db', SUPABASE_SECRET_KEY: 'SECRET' }), [
      'TEMPORAL_ADDRESS is not set: TEMPORAL_NAMESPACE, TEMPORAL_API_KEY go to 127.0.0.1:7233',
      'SUPABASE_URL is not set: nothing is done with SUPABASE_SECRET_KEY',
    ]);
  });

  it('names every setting that cannot be used at once', () => {
    const faults = faultsOf({
      DATABASE_URL: 'postgresql://u:p@ss@h/d',
      SUPABASE_URL: 'https://x.supabase.co/rest/v1',
      SUPABASE_ANON_KEY: 'sb_secret_x',
      TEMPORAL_ADDRESS: 'https://temporal:7233',
      TEMPORAL_TLS_CERT: '/no/such.pem',
      INTAKE_PORT: '70000',
      INTAKE_METRICS_ADDRESS: 'here:99999',
      INTAKE_CHUNK_BYTES: 'many',
      PROJECTS_IMPORT_BEARER: 'nonsense',
      LOG_LEVEL: 'loud',
    });
    for (const name of [
      ...[
        'DATABASE_URL',
        'SUPABASE_URL',
        'SUPABASE_ANON_KEY',
        'SUPABASE_SERVICE_ROLE_KEY',
        'TEMPORAL_ADDRESS',
        'TEMPORAL_TLS_CERT',
      ],
      ...['INTAKE_PORT', 'INTAKE_METRICS_ADDRESS', 'INTAKE_CHUNK_BYTES', 'PROJECTS_IMPORT_BEARER', 'LOG_LEVEL'],
    ])
      assert.match(faults, new RegExp(`\\b${name}\\b`), faults);
    assert.ok(!faults.includes('ss@h') && !faults.includes('nonsense'));
  });

  it('is refused at the start by commands, worker and gateway alike: every setting with what to write, no value', async function () {
    this.timeout(30_000);
    const wrong: Record<string, [value: string, says: RegExp]> = {
      DATABASE_URL: ['mysql://u:p@h/d', /postgresql:\/\//],
      TEMPORAL_ADDRESS: ['nohost', /host:port/],
      TEMPORAL_TLS_KEY: ['/no/such.pem', /cannot be read/],
      INTAKE_BACKEND: ['mysql', /one of postgres/],
      INTAKE_HOST: ['a host', /letters/],
      INTAKE_WINDOW: ['0', /at least 1/],
      INTAKE_CHUNK_BYTES: ['many', /whole number from 4096 to 67108864/],
      INTAKE_PARTITION_ROWS: ['9999999', /at most 200000/],
      INTAKE_GATEWAY_URL: ['gateway', /http:\/\/host/],
      ANOMALIES_ALERT_WEBHOOK: ['ftp://x', /http:\/\/host/],
      ANOMALIES_ALERT_ALLOW_PRIVATE: ['perhaps', /one of true, false/],
      OTEL_EXPORTER_OTLP_ENDPOINT: ['collector', /http:\/\/host/],
      LOG_LEVEL: ['loud', /one of trace/],
      https_proxy: ['http://[proxy', /http:\/\/host:port/],
    };
    const env = Object.fromEntries(Object.entries(wrong).map(([name, [value]]) => [name, value]));
    const src = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
    const all = await Promise.all(
      [
        ['client.ts', 'doctor'],
        ['client.ts', 'import', 'plaintiffs', 'x.csv'],
        ['client.ts', 'gateway'],
        ['client.ts', 'worker'],
        ['worker.ts'],
      ].map(async ([program, ...args]) => {
        const child = spawn(process.execPath, [src(program!), ...args], { env: { PATH: process.env['PATH'], ...env } });
        let text = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (more: string) => (text += more));
        const code = await new Promise((resolve) => child.once('close', resolve));
        return { text, code };
      }),
    );
    for (const { text, code } of all) {
      assert.deepEqual([code, text.trim().split('\n').length, text.includes('CONFIG_INVALID')], [2, 1, true], text);
      assert.equal(text.split('TEMPORAL_ADDRESS:').length, 2, text); // one fault, said once
      for (const [name, [value, says]] of Object.entries(wrong)) {
        assert.match(text, new RegExp(`${name}[^;]*: [^;]*${says.source}`), text);
        if (value.length > 4) assert.ok(!text.includes(value), `${name}: ${text}`);
      }
    }
  });
});
