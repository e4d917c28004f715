import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { readStack } from '../../../src/local/stack.ts';
import { startFaultServer } from '../../support/hosted/faultServer.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { plaintiffsCsv, startCli, type Cli, type Json } from '../cli.ts';

const HIDING = ['anon', 'authenticated'];

/** A pooler that knows no tenant: it reads the startup message and answers as Supabase's does. */
async function startPooler(message: string): Promise<Server> {
  const fields = [
    ['S', 'FATAL'],
    ['V', 'FATAL'],
    ['C', 'XX000'],
    ['M', message],
  ]
    .map(([type, text]) => `${type}${text}\0`)
    .join('');
  const body = Buffer.from(`${fields}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([Buffer.from('E'), length, body])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('intake doctor and intake smoke', function () {
  this.timeout(60_000);
  let cli: Cli;
  let proxy: Proxy;
  before(async () => {
    // Everything here happens behind a proxy that refuses everything.
    proxy = await startProxy();
    cli = await startCli(proxy.env);
  });
  after(async () => {
    await cli.stop();
    proxy.close();
  });

  it('asks no proxy for what lies on this machine: the stack, its worker and every command', async () => {
    const dryRun = await cli.json('import', 'plaintiffs', await cli.file('near.csv', plaintiffsCsv('near', 3)));
    assert.equal(dryRun.document.counts.fetched, 3);
    const { code, document } = await cli.json('doctor');
    assert.deepEqual([code, failing(document), proxy.asked], [0, [], []]);
  });

  it('reaches a Temporal and a Supabase that lie elsewhere through the proxy', async () => {
    const { temporal, supabaseUrl, serviceRoleKey } = cli.stack;
    const front = await startFaultServer(supabaseUrl); // the stack's own answers to no other name than its own
    const known = {
      'temporal.example:7233': Number(temporal.split(':')[1]),
      'supabase.example:80': Number(new URL(front.url).port),
    };
    const tunnel = await startProxy(known);
    const env = {
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      SUPABASE_URL: 'http://supabase.example',
      SUPABASE_SERVICE_ROLE_KEY: serviceRoleKey,
    };
    const [file, only] = [await cli.file('tunnelled.csv', plaintiffsCsv('tunnelled', 3)), { ...env, ...tunnel.env }];
    try {
      const { code, stdout } = await cli.start(['doctor', '--json'], only).ended;
      assert.deepEqual([code, failing(JSON.parse(stdout))], [0, []]);
      // A host that no worker serves: the command brings its own, over the other kind of connection.
      const imported = await cli.start(['import', 'plaintiffs', file, '--json'], { ...only, INTAKE_HOST: 'apart' })
        .ended;
      assert.equal(imported.code, 0, imported.stdout + imported.stderr);
      assert.deepEqual([...new Set(tunnel.asked)].sort(), Object.keys(known).sort());
    } finally {
      tunnel.close();
      await front.stop();
    }
  });

  const commit = async (tag: string, rows: number): Promise<string> =>
    (await cli.json('import', 'plaintiffs', await cli.file(`${tag}.csv`, plaintiffsCsv(tag, rows)), '--commit'))
      .document.run_id;
  const failing = (document: Json): Json[] => document.checks.filter(({ ok }: Json) => !ok);
  /** The stack as a deployment that `.env.<mode>` names. */
  const deployment = (): string => {
    const { temporal, databaseUrl, supabaseUrl, serviceRoleKey, anonKey } = cli.stack;
    return [
      `TEMPORAL_ADDRESS=${temporal}`,
      `DATABASE_URL=${databaseUrl}`,
      `SUPABASE_URL=${supabaseUrl}`,
      `SUPABASE_SERVICE_ROLE_KEY=${serviceRoleKey}`,
      `SUPABASE_ANON_KEY=${anonKey}`,
    ].join('\n');
  };

  it('finds the gateway of the stack, also right after it was killed', async () => {
    await cli.json('doctor'); // it may be starting still
    const { gateway, pids } = (await readStack(cli.stack.dir))!;
    process.kill(pids.gateway!, 'SIGKILL');
    const { document } = await cli.json('doctor');
    assert.deepEqual([document.addresses.gateway, document.addresses.dashboard], [gateway, `${gateway}/`]);
    assert.equal(document.checks.find(({ name }: Json) => name === 'gateway').ok, true);
    assert.equal((await fetch(`${gateway}/readyz`)).status, 200);
  });

  it('says RUN_NOT_FOUND as long as nothing was imported', async () => {
    const { code, stderr } = await cli.run('smoke');
    assert.deepEqual([code, stderr.split(':')[0]], [2, 'RUN_NOT_FOUND']);
  });

  it('finds the rows of the latest run with those who work with them, over API and SQL, and with nobody else', async () => {
    await commit('before', 2);
    const runId = await commit('seen', 7);
    const { code, document } = await cli.json('smoke');
    assert.deepEqual(
      [code, document.run_id, document.kind, document.result],
      [0, runId, 'plaintiffs', 'PASS'],
      JSON.stringify(failing(document)),
    );
    const seen = document.checks.filter(({ name, expected }: Json) => name === 'public.plaintiffs' && expected > 0);
    assert.deepEqual(
      seen.map(({ via, role, expected, found, ok }: Json) => [via, role, expected, found, ok]),
      [
        ['api', 'service_role', 7, 7, true],
        ['sql', 'service_role', 7, 7, true],
        ['sql', 'dragonfly_app', 7, 7, true],
      ],
    );
    for (const [via, role] of [
      ['api', 'anon'],
      ['sql', 'anon'],
      ['sql', 'authenticated'],
    ]) {
      const hidden = document.checks.filter((check: Json) => check.via === via && check.role === role);
      assert.ok(
        hidden.length >= 8 &&
          hidden.every(({ expected, found }: Json) => expected === 0 && (found === 'denied' || found === 0)),
        `${via} ${role}`,
      );
      for (const name of [
        'public.plaintiffs',
        'public.judgments',
        'public.raw_simplicity_imports',
        'ingest.plaintiffs_raw',
      ]) {
        assert.ok(
          hidden.some((check: Json) => check.name === name),
          name,
        );
      }
    }
    const { stdout } = await cli.run('smoke', runId.slice(0, 8));
    assert.equal(stdout.trimEnd().split('\n').at(-1), 'PASS');
  });

  it('fails when rows are gone, and when somebody may read who must not', async () => {
    const runId = await commit('leak', 3);
    await cli.query("delete from public.plaintiffs where import_run_id = $1 and name = 'leak Holdings 1'", [runId]);
    await cli.query('grant select on public.plaintiffs to authenticated');
    await cli.query('create policy leak on public.plaintiffs for select to authenticated using (true)');
    try {
      const { code, document } = await cli.json('smoke', runId);
      assert.deepEqual([code, document.result], [1, 'FAIL']);
      const wrong = failing(document).map(({ via, role, name }: Json) => [via, role, name].join(' '));
      assert.deepEqual(wrong.sort(), [
        'api service_role public.plaintiffs',
        'sql authenticated public.plaintiffs',
        'sql dragonfly_app public.plaintiffs',
        'sql service_role public.plaintiffs',
      ]);
      const { stdout } = await cli.run('smoke', runId, '--quiet');
      assert.match(stdout, /^(FAIL {2}.*\n){4}FAIL\n$/);
    } finally {
      await cli.query('drop policy leak on public.plaintiffs');
      await cli.query('revoke select on public.plaintiffs from authenticated');
    }
  });

  it('asks for the rights of a role that the connection may not take', async () => {
    await cli.query("create role smoke_worker login password 'smoke' in role dragonfly_app");
    const url = new URL(cli.stack.databaseUrl);
    [url.username, url.password] = ['smoke_worker', 'smoke'];
    await commit('rights', 2);
    const { code, stdout } = await cli.start(['smoke', '--json'], {
      DATABASE_URL: url.href,
      TEMPORAL_ADDRESS: cli.stack.temporal,
    }).ended;
    const { checks, result } = JSON.parse(stdout);
    assert.deepEqual([code, result], [0, 'PASS'], stdout);
    const found = (role: string) =>
      checks
        .filter((check: Json) => check.role === role && check.name === 'public.plaintiffs')
        .map((check: Json) => check.found);
    assert.deepEqual(
      [found('dragonfly_app'), found('service_role'), ...HIDING.map(found)],
      [[2], ['granted'], ['denied'], ['denied']],
    );
  });

  it('reads .env.dev and .env.prod for doctor and smoke, by --env and by SUPABASE_MODE', async () => {
    const runId = await commit('env', 2);
    await cli.file('.env.dev', deployment());
    await cli.file(
      '.env.prod',
      'DATABASE_URL=postgresql://nobody:secret@127.0.0.1:1/none\nTEMPORAL_ADDRESS=127.0.0.1:1\n',
    );
    const doctor = await cli.json('doctor', '--env', 'dev');
    assert.deepEqual(
      [doctor.code, doctor.document.addresses.temporal_ui],
      [0, null],
      JSON.stringify(failing(doctor.document)),
    );
    const smoke = await cli.start(['smoke', '--json'], { SUPABASE_MODE: 'dev' }).ended;
    assert.deepEqual([smoke.code, JSON.parse(smoke.stdout).run_id], [0, runId]);
    const prod = await cli.json('doctor', '--env', 'prod');
    assert.equal(prod.code, 1);
    assert.deepEqual(
      failing(prod.document).map(({ name }) => name),
      ['temporal', 'database'],
    );
    assert.ok(
      failing(prod.document).every(({ remedy }) => remedy) && !JSON.stringify(prod.document).includes('secret'),
    );
    const refused = await cli.run('smoke', '--env', 'prod');
    assert.deepEqual([refused.code, refused.stderr.split(':')[0]], [1, 'DATABASE_UNAVAILABLE']);
  });

  it('finds .env from a folder below; a named file wins over the environment and says where; the target is named without its password', async () => {
    await cli.file('.env.far', deployment());
    const below = join(cli.folder, 'a', 'b');
    await mkdir(below, { recursive: true });
    const other = { DATABASE_URL: 'postgresql://someone:hidden@db.example.com/elsewhere' };
    const { code, stdout, stderr } = await cli.start(['doctor', '--env', 'far', '--json'], other, below).ended;
    const { target, checks } = JSON.parse(stdout);
    const { host, password } = new URL(cli.stack.databaseUrl);
    assert.deepEqual([code, target], [0, `postgres at ${host}/postgres (far)`], JSON.stringify(failing({ checks })));
    assert.match(stderr, /\.env\.far counts, not the environment, where they differ: DATABASE_URL\n/);
    assert.ok(![stdout, stderr].some((text) => text.includes('hidden') || text.includes(password)));
  });

  it('means the stack that --dir names, whatever is configured; a deployment that is named beside it is refused', async () => {
    const elsewhere = { DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/other', TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const { host } = new URL(cli.stack.databaseUrl);
    const { code, stdout, stderr } = await cli.start(['doctor', '--dir', cli.stack.dir, '--json'], elsewhere).ended;
    assert.deepEqual([code, JSON.parse(stdout).target], [0, `postgres at ${host}/postgres (embedded)`]);
    assert.match(stderr, /A deployment is configured \(DATABASE_URL, TEMPORAL_ADDRESS\): nothing goes there/);
    await cli.file('.env.far', deployment());
    const refused = await cli.start(['runs', '--env', 'far', '--dir', cli.stack.dir]).ended;
    assert.deepEqual(
      [refused.code, refused.stderr.includes('--env far names a deployment, and --dir the stack in')],
      [2, true],
    );
  });

  it('makes no stack for a command that only reads', async () => {
    const none = join(cli.folder, 'none');
    for (const args of [['runs'], ['doctor'], ['rejects', '1f0c9a2e'], ['schedule', 'list'], ['migrate', '--check']]) {
      const { code, stderr } = await cli.start([...args, '--dir', none]).ended;
      assert.deepEqual(
        [code, /^CONFIG_INVALID: There is no stack in /.test(stderr)],
        [2, true],
        `${args.join(' ')}: ${stderr}`,
      );
    }
    assert.ok(!existsSync(none));
  });

  it('tells versions, jobs and schedules', async () => {
    const { document } = await cli.json('doctor');
    const detail = Object.fromEntries(document.checks.map(({ name, detail }: Json) => [name, detail]));
    assert.match(detail.intake, /^Intake \d+\.\d+\.\d+$/);
    assert.match(detail.temporal, /^Temporal \d+\.\d+\.\d+.* at 127\.0\.0\.1:\d+, namespace default$/);
    assert.match(detail.database, /^PostgreSQL 1\d\./);
    assert.equal(
      detail.jobs,
      'queues in public.queue_messages (pgmq is not installed); queue_job, pgmq_delete, set_enforcement_stage',
    );
    assert.equal(detail.schedules, 'none');
    assert.deepEqual(
      [
        'bucket',
        'worker',
        'worker_files',
        'clock',
        'migrations',
        'functions',
        'search_attributes',
        'supabase',
        'node',
      ].filter((name) => !(name in detail)),
      [],
    );
  });

  it('finds a bucket that somebody has made public', async () => {
    const sql = postgres(cli.stack.databaseUrl, { max: 1 });
    const open = (isPublic: boolean) => sql`UPDATE storage.buckets SET public = ${isPublic} WHERE id = 'imports'`;
    try {
      await open(true);
      const { document } = await cli.json('doctor');
      const { ok, remedy } = document.checks.find(({ name }: Json) => name === 'bucket');
      assert.deepEqual([ok, remedy.split(':')[0]], [false, 'Make it private']);
    } finally {
      await open(false);
      await sql.end();
    }
  });

  it('finds a function, a kind and a bucket that are gone, and `intake migrate` brings them back; what a team replaced stays', async () => {
    const sql = postgres(cli.stack.databaseUrl, { max: 1, onnotice: () => undefined });
    const failing = async () =>
      (await cli.json('doctor')).document.checks.filter(({ ok }: Json) => !ok).map(({ name }: Json) => name);
    const [{ before }] =
      (await sql`select pg_get_functiondef('public.queue_job(jsonb)'::regprocedure) as before`) as Json;
    const own = `create or replace function public.queue_job(payload jsonb) returns bigint language sql as 'select 1::bigint'`;
    try {
      for (const [damage, name] of [
        ['drop function ingest.find_run(text)', 'functions'],
        ["delete from ingest.import_kinds where kind = 'jbi'", 'functions'],
        ["delete from storage.buckets where id = 'imports'", 'bucket'],
      ]) {
        await sql.unsafe(own);
        await sql.unsafe(damage!);
        assert.deepEqual(await failing(), [name]);
        assert.equal((await cli.run('migrate')).code, 0);
        assert.deepEqual(await failing(), []);
        const [{ source }] = (await sql`select prosrc as source from pg_proc where proname = 'queue_job'`) as Json;
        assert.equal(source, 'select 1::bigint');
      }
    } finally {
      await sql.unsafe(before);
      await sql.end();
    }
  });

  it('lists the schedules of its own, and says which are paused', async () => {
    const connection = await Connection.connect({ address: cli.stack.temporal });
    const { schedule } = new Client({ connection });
    try {
      for (const [scheduleId, paused, workflowType, taskQueue] of [
        ["another program's", false, 'none', 'intake'],
        ["another deployment's", false, 'retention', 'other'],
        ['nightly', false, 'retention', 'intake'],
        ['old', true, 'retention', 'intake'],
      ] as const) {
        const args = [{ importsDays: 60, anomaliesDays: 90 }];
        const action = { type: 'startWorkflow', workflowType, taskQueue, args } as const;
        await schedule.create({ scheduleId, action, spec: { intervals: [{ every: '365 days' }] }, state: { paused } });
      }
      let detail = 'none'; // Temporal's list follows what was created after a moment
      while (!detail.startsWith('nightly') || !detail.includes('old'))
        detail = (await cli.json('doctor')).document.checks.find(({ name }: Json) => name === 'schedules').detail;
      assert.match(detail, /^nightly \([^)]*\), old \(paused[^)]*\)$/);
    } finally {
      await connection.close();
    }
  });

  for (const message of ['Tenant or user not found', '(ENOTFOUND) tenant/user postgres.abcdefgh not found']) {
    it(`explains a pooler that says "${message}"`, async () => {
      const pooler = await startPooler(message);
      try {
        const env = {
          TEMPORAL_ADDRESS: cli.stack.temporal,
          DATABASE_URL: `postgresql://postgres:secret@127.0.0.1:${(pooler.address() as AddressInfo).port}/postgres`,
        };
        const { code, stdout } = await cli.start(['doctor', '--json'], env).ended;
        assert.equal(code, 1);
        const { ok, detail, remedy } = JSON.parse(stdout).checks.find(({ name }: Json) => name === 'database');
        assert.deepEqual(
          [ok, detail],
          [false, 'The pooler does not know the project or its user (Tenant or user not found)'],
        );
        assert.match(remedy, /postgres\.<project-ref>.*region.*paused/);
        for (const command of [['migrate'], ['smoke'], ['runs']]) {
          const { code: exit, stderr } = await cli.start(command, env).ended;
          assert.equal(exit, 1);
          assert.match(
            stderr,
            /^DATABASE_DENIED: The pooler does not know .*postgres\.<project-ref>/m,
            command.join(' '),
          );
        }
      } finally {
        pooler.close();
      }
    });
  }
});
