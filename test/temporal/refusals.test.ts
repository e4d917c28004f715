/** What Temporal and Temporal Cloud refuse, and what clients, workers and their operators are told. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { loadConfig } from '../../src/config.ts';
import type { IntakeError } from '../../src/errors.ts';
import { type ErrorCode } from '../../src/errors.ts';
import { startImport } from '../../src/imports/start.ts';
import { createLogger } from '../../src/observability/log.ts';
import { intakeAt } from '../cli/cli.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { temporalFault } from '../../src/temporal/fault.ts';
import { attributeState } from '../../src/temporal/searchAttributes.ts';
import { startWorker } from '../../src/worker.ts';
import { startTestWorker } from '../support/worker.ts';
import { importResult } from '../../src/imports/follow.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { startFaultServer } from '../support/hosted/faultServer.ts';
import { makeCertificates, type Certificates } from '../support/hosted/certificates.ts';
import { startGrpcFront, type GrpcFront } from '../support/hosted/grpcFront.ts';
import { openPlace, type Place } from '../support/imports.ts';
import { createDatabase, sharedStack, type TestDatabase } from '../support/stack.ts';

describe('Temporal', function () {
  this.timeout(60_000);
  let temporal: string;
  let front: GrpcFront;
  let database: TestDatabase;
  let place: Place;
  let certificates: Certificates;
  let dir: string;

  before(async () => {
    ({ temporal } = await sharedStack());
    front = await startGrpcFront(temporal);
    database = await createDatabase();
    place = await openPlace({ temporal, databaseUrl: database.databaseUrl });
    certificates = await makeCertificates();
    dir = await mkdtemp(join(tmpdir(), 'intake-temporal-'));
  });
  after(async () => {
    await front?.stop();
    await place?.close();
    await database?.drop();
    for (const path of [dir, dirname(certificates.caFile)]) await rm(path, { recursive: true });
  });
  afterEach(() => front.set());

  const config = (env: NodeJS.ProcessEnv) => loadConfig({ ...place.env, ...env });
  /** What a client and a worker are told of the same thing. */
  async function both(env: NodeJS.ProcessEnv): Promise<IntakeError[]> {
    const wanted = config(env);
    const told = async (work: Promise<unknown>): Promise<IntakeError> => {
      const error = await work.then(
        () => assert.fail('it connected'),
        (thrown: unknown) => thrown,
      );
      const known = temporalFault(error);
      assert.ok(known, String(error));
      return known;
    };
    const asks = async (): Promise<void> => {
      const client = await connectTemporal(wanted);
      try {
        await startImport(client, await place.input({ path: await place.file('name\nx\n') }));
      } finally {
        await client.connection.close();
      }
    };
    return [await told(asks()), await told(startWorker(wanted, createLogger('silent')))];
  }
  const says = (errors: readonly IntakeError[], code: ErrorCode, words: RegExp): void => {
    for (const error of errors) {
      assert.equal(error.code, code, error.message);
      assert.match(`${error.message}. ${error.remedy}`, words);
    }
  };

  it('has no namespace of that name: CONFIG_INVALID names the setting', async () => {
    says(
      await both({ TEMPORAL_NAMESPACE: 'prodd' }),
      'CONFIG_INVALID',
      /TEMPORAL_NAMESPACE: .*no namespace 'prodd'.*create/s,
    );
  });

  for (const [name, status, message] of [
    ['refuses the key', 7, 'Request unauthorized.'],
    ['refuses an expired key', 16, 'Jwt is expired'],
  ] as const)
    it(`${name}: TEMPORAL_DENIED, and never that it should be started`, async () => {
      front.set({ status, message });
      const errors = await both({ TEMPORAL_ADDRESS: front.address });
      says(errors, 'TEMPORAL_DENIED', /TEMPORAL_API_KEY/);
      assert.ok(
        errors.every(({ message: told, remedy, exitCode }) => !/Start Temporal/.test(told + remedy) && exitCode === 2),
      );
    });

  it('asks for fewer requests: TEMPORAL_BUSY', () => {
    const refused = Object.assign(new Error('8 RESOURCE_EXHAUSTED: namespace rate limit exceeded'), {
      code: 8,
      details: 'namespace rate limit exceeded',
      metadata: {},
    });
    const known = temporalFault(new Error('Failed to start Workflow', { cause: refused }))!;
    says([known], 'TEMPORAL_BUSY', /fewer requests: namespace rate limit exceeded/);
    assert.ok(known.retryable);
  });

  it('has not the search attributes, or of another type: it is said which, and how to register them here and in the Cloud', async () => {
    const namespace = `bare-${randomUUID().slice(0, 8)}`;
    const connection = await Connection.connect({ address: temporal });
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    const wanted = config({ TEMPORAL_NAMESPACE: namespace });
    const client = await connectTemporal(wanted);
    const start = async () => startImport(client, await place.input({ path: await place.file('name\nx\n') }));
    try {
      for (;;) {
        const error = temporalFault(await start().catch((thrown: unknown) => thrown));
        assert.ok(error);
        if (/namespace/i.test(error.message) && !/search attribute/i.test(error.message)) continue; // it is not known everywhere yet
        says(
          [error],
          'CONFIG_INVALID',
          /Intake\w+ is not registered.*search-attribute create.*IntakeKind.*tcld namespace search-attributes add/s,
        );
        break;
      }
      assert.deepEqual((await attributeState(client)).missing.length, 4);
      const mistyped = { IntakeKind: 2, IntakeSource: 1, IntakeTenant: 2, IntakeStatus: 3 };
      await (
        connection as never as { operatorService: { addSearchAttributes(request: object): Promise<unknown> } }
      ).operatorService.addSearchAttributes({
        namespace,
        searchAttributes: mistyped,
      });
      assert.deepEqual(await attributeState(client), {
        missing: [],
        mistyped: [
          { name: 'IntakeSource', type: 'Text' },
          { name: 'IntakeStatus', type: 'Int' },
        ],
      });
    } finally {
      await client.connection.close();
      await connection.close();
    }
  });

  it('loses a search attribute while an import runs: the import ends all the same', async () => {
    const namespace = `labels-${randomUUID().slice(0, 8)}`;
    const { client: admin } = place;
    const { workflowService } = admin;
    const { operatorService } = admin.connection as never as {
      operatorService: Record<string, (request: object) => Promise<unknown>>;
    };
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
    const searchAttributes = { IntakeKind: 2, IntakeSource: 2, IntakeTenant: 2, IntakeStatus: 2 };
    while (
      !(await operatorService['addSearchAttributes']!({ namespace, searchAttributes }).then(
        () => true,
        () => false,
      ))
    )
      await sleep(100);
    const own = config({ TEMPORAL_NAMESPACE: namespace });
    const client = await connectTemporal(own);
    const start = async (name: string) =>
      startImport(client, await place.input({ path: await place.file(`name\n${name}\n`) }));
    // The namespace's caches follow after a moment.
    let handle: WorkflowHandle | undefined;
    const worker = await startTestWorker(own);
    try {
      await place.sql.begin(async (tx) => {
        await tx`LOCK TABLE public.plaintiffs IN ACCESS EXCLUSIVE MODE`;
        while (!handle) handle = await start('label').catch(() => void sleep(100));
        const waits = () =>
          place.sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        while ((await waits()).length === 0) await sleep(20);
        await operatorService['removeSearchAttributes']!({ namespace, searchAttributes: ['IntakeStatus'] });
      });
      const { status, error } = await importResult(handle!);
      assert.equal(status, 'completed', JSON.stringify(error));
    } finally {
      await worker.shutdown();
      await client.connection.close();
    }
  });

  it('speaks another TLS than this side, or is a web server: the reason is quoted, with the setting that it is about', async () => {
    const { ca, right, foreign } = certificates;
    const secure = await startGrpcFront(temporal, { ...right, ca, requestCert: true, rejectUnauthorized: true });
    const web = await startFaultServer('http://127.0.0.1:1');
    const files: Record<string, string> = {};
    for (const [name, text] of Object.entries({
      cert: right.cert,
      key: right.key,
      other: foreign.key,
      garbage: 'no key',
    }))
      await writeFile((files[name] = join(dir, name)), text);
    try {
      for (const [env, code, words] of [
        [
          { TEMPORAL_ADDRESS: secure.address },
          'CONFIG_INVALID',
          /speaks TLS, and this connection does not.*TEMPORAL_API_KEY/s,
        ],
        [
          { TEMPORAL_ADDRESS: secure.address, TEMPORAL_API_KEY: 'k' },
          'CONFIG_INVALID',
          /certificate of Temporal is not trusted.*(UNABLE|SELF_SIGNED).*SSL_CERT_FILE/s,
        ],
        [{ TEMPORAL_ADDRESS: temporal, TEMPORAL_API_KEY: 'k' }, 'CONFIG_INVALID', /speaks no TLS.*Unset/s],
        [{ TEMPORAL_ADDRESS: web.url.slice('http://'.length) }, 'CONFIG_INVALID', /web server answers.*7233/s],
        [
          { TEMPORAL_TLS_CERT: files['cert'], TEMPORAL_TLS_KEY: files['garbage'] },
          'CONFIG_INVALID',
          /no certificate and its key/,
        ],
        [
          { TEMPORAL_TLS_CERT: files['cert'], TEMPORAL_TLS_KEY: files['other'] },
          'CONFIG_INVALID',
          /no certificate and its key/,
        ],
      ] as const) {
        const error = await connectTemporal(config(env)).then(
          () => assert.fail('it connected'),
          (thrown: IntakeError) => thrown,
        );
        says([error], code, words);
      }
    } finally {
      await web.stop();
      await secure.stop();
    }
  });

  it('is quoted by each command as its user sees it: one line with code, cause and remedy, and its exit code', async () => {
    const namespace = `seen-${randomUUID().slice(0, 8)}`;
    const connection = await Connection.connect({ address: temporal });
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await connection.close();
    const path = await place.file('name\nSeen Person\n');
    const commands = [
      ['import', 'plaintiffs', path, '--commit'],
      [
        'schedule',
        'add',
        'plaintiffs',
        path,
        '--source-system',
        'acme',
        '--at',
        '06:00',
        '--timezone',
        'Europe/Berlin',
      ],
      ['schedule', 'list'],
      ['cancel', 'import/plaintiffs/csv/x/0123456789abcdef'],
      ['doctor'],
    ];
    const seen = (env: NodeJS.ProcessEnv) =>
      Promise.all(commands.map((args) => intakeAt(place.dir, args, { ...place.env, ...env }).ended));
    const says = async (env: NodeJS.ProcessEnv, which: readonly number[], words: RegExp, remedy: RegExp) => {
      const all = await seen(env);
      for (const i of which) {
        const { code, stdout, stderr } = all[i]!;
        const text = `${commands[i]![0]}: ${stdout}${stderr}`;
        assert.match(text, words);
        assert.match(text, remedy);
        assert.doesNotMatch(text, /INTERNAL|Start Temporal|\n {4}at /, text);
        assert.equal(code, commands[i]![0] === 'doctor' ? 1 : 2, text);
      }
    };
    await says({ TEMPORAL_NAMESPACE: 'prodd' }, [0, 1, 2, 3, 4], /no namespace 'prodd'/, /namespace/);
    await says(
      { TEMPORAL_NAMESPACE: namespace },
      [0, 1, 4],
      /Intake(Kind|Source)\S* (is not registered|.*)/,
      /temporal operator search-attribute create .*tcld/s,
    );
    front.set({ status: 7, message: 'Request unauthorized.' });
    await says({ TEMPORAL_ADDRESS: front.address }, [0, 1, 2, 3, 4], /Request unauthorized/, /TEMPORAL_API_KEY/);
    front.set();
    // What is on this host is not asked through a proxy, and for the rest doctor names it.
    const proxied = { ...place.env, https_proxy: 'http://127.0.0.1:9' };
    const listed = await intakeAt(place.dir, ['schedule', 'list'], proxied).ended;
    assert.equal(listed.code, 0, listed.stderr);
  });

  it('ends a worker that it refuses with one line of JSON and exit code 2', async () => {
    const program = fileURLToPath(new URL('../../src/worker.ts', import.meta.url));
    const child = spawn(process.execPath, [program], {
      cwd: place.dir,
      env: { PATH: process.env['PATH'], ...place.env, TEMPORAL_NAMESPACE: 'prodd' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    const lines = output.trim().split('\n');
    assert.deepEqual([code, lines.length], [2, 1], output);
    const { code: said, msg } = JSON.parse(lines[0]!) as { code: string; msg: string };
    assert.equal(said, 'CONFIG_INVALID');
    assert.match(msg, /prodd/);
  });
});
