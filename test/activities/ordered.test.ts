import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { WorkflowFailedError } from '@temporalio/client';
import { loadConfig, type Config } from '../../src/config.ts';
import { openBackends, type Backends } from '../../src/database/backends/open.ts';
import { importInput } from '../../src/imports/request.ts';
import { startImport } from '../../src/imports/start.ts';
import { createLogger } from '../../src/observability/log.ts';
import { pushInput, startPush } from '../../src/push/push.ts';
import { importSchedule, pushSchedule, retentionSchedule } from '../../src/schedules/definitions.ts';
import { orderRetention, orderSchedule } from '../../src/schedules/order.ts';
import { failureOf } from '../../src/temporal/outcome.ts';
import { startWorker, type RunningWorker } from '../../src/worker.ts';
import { openPlace, plaintiffsCsv, type Place } from '../support/imports.ts';
import { createDatabase, sharedStack, type TestDatabase } from '../support/stack.ts';

describe('a workflow that somebody starts who reaches Temporal alone', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let place: Place;
  let config: Config;
  let worker: RunningWorker;
  let backends: Backends;
  let open: string;

  before(async () => {
    const { temporal } = await sharedStack();
    database = await createDatabase();
    place = await openPlace({ temporal, databaseUrl: database.databaseUrl });
    open = join(place.dir, 'open');
    await mkdir(open);
    config = loadConfig({ ...place.env, INTAKE_FILES: open, PROJECTS_IMPORT_BEARER: 'A=the-secret-of-A' });
    worker = await startWorker(config, createLogger('fatal'));
    backends = await openBackends(config, undefined, ['postgres']);
    await place.sql`INSERT INTO ingest.tenants (tenant_id) VALUES ('A')`;
  });
  after(async () => {
    await worker?.shutdown();
    await backends?.close();
    await place?.close();
    await database?.drop();
  });

  const backend = () => backends.get('postgres');
  const run = async (type: string, ...args: unknown[]): Promise<unknown> => {
    const handle = await place.client.workflow.start(type, {
      workflowId: `stranger/${randomUUID()}`,
      taskQueue: config.taskQueue,
      args,
    });
    return handle.result().catch((error: WorkflowFailedError) => {
      const { error: failure } = failureOf(error, 'run');
      return failure.code;
    });
  };
  const file = async (folder = place.dir): Promise<string> => {
    const path = join(folder, `${randomUUID()}.csv`);
    await writeFile(path, plaintiffsCsv(3));
    return path;
  };
  const inputFor = async (path: string, more: object = {}) => ({
    ...(await importInput(config, { kind: 'plaintiffs', path, mode: 'commit', sourceSystem: randomUUID() })),
    ...more,
  });

  it('imports no file that nobody ordered, writes none, and by no step alone', async () => {
    const path = await file();
    const input = await inputFor(path);
    assert.equal(await run('importFile', input), 'INPUT_REFUSED');
    // Lies about the queue, a way around by dots, a target of its own choosing.
    assert.equal(await run('importFile', { ...input, fileQueue: config.taskQueue }), 'INPUT_REFUSED');
    assert.equal(
      await run('importFile', { ...input, path: join(open, '..', path.slice(place.dir.length)) }),
      'INPUT_REFUSED',
    );
    const target = join(place.dir, 'written');
    const allowed = await file(open);
    assert.equal(
      await run('importFile', { ...(await inputFor(allowed)), mode: 'dry-run', rejectsPath: target }),
      'INPUT_REFUSED',
    );
    await assert.rejects(stat(target), { code: 'ENOENT' });
    assert.equal(
      await run(
        'scheduledImport',
        importSchedule(config, { request: { kind: 'plaintiffs', path, mode: 'commit' }, times: { everyMinutes: 60 } })
          .input,
      ),
      'INPUT_REFUSED',
    );
    assert.equal((await place.sql`SELECT FROM ingest.import_runs`).length, 0);
  });

  it('imports what a command ordered, a file of a folder that the worker allows, and what a schedule was added for', async () => {
    const ordered = await startImport(place.client, (await inputFor(await file())) as never, backend());
    assert.equal(((await ordered.result()) as { status: string }).status, 'completed');
    assert.equal(
      ((await run('importFile', await inputFor(await file(open)))) as { status: string }).status,
      'completed',
    );
    const path = await file();
    const definition = importSchedule(config, {
      request: { kind: 'plaintiffs', path, mode: 'commit', sourceSystem: 'crm' },
      times: { everyMinutes: 60 },
    });
    await orderSchedule(backend(), definition);
    assert.equal(((await run('scheduledImport', definition.input)) as { status: string }).status, 'completed');
  });

  it('deletes nothing by days that nobody ordered', async () => {
    await place.sql`INSERT INTO public.import_anomalies (tenant_id, batch_id, anomaly_type, field, reason, correlation_id, created_at)
      SELECT 'A', 'b', 'UNKNOWN_DS', 'f', 'r', gen_random_uuid(), now() - interval '80 days'`;
    const definition = retentionSchedule(
      config,
      { at: '03:10', timeZone: 'UTC' },
      { importsDays: 60, anomaliesDays: 75, runDays: { '*': 400 } },
    );
    for (const days of [
      { importsDays: 0, anomaliesDays: 0 },
      { importsDays: 60, anomaliesDays: 89 },
      { importsDays: 60, anomaliesDays: 90, runDays: { '*': 0 } },
    ])
      assert.equal(
        await run('retention', { ...definition.input, runDays: undefined, ...days }),
        'INPUT_REFUSED',
        JSON.stringify(days),
      );
    assert.equal((await place.sql`SELECT FROM public.import_anomalies`).length, 1);
    await orderRetention(backend(), definition.input as never, 1);
    assert.deepEqual(await run('retention', definition.input), {
      staging_imports: 0,
      import_anomalies: 1,
      retired: { runs: 0, landed_rows: 0, ledger_rows: 0, originals: 0, images: 0 },
    });
    await place.sql`UPDATE ingest.orders SET until = now() - interval '1 second' WHERE what = 'retention'`;
    const again = { ...definition.input, importsDays: 59, anomaliesDays: 75 };
    assert.equal(await run('retention', again), 'INPUT_REFUSED');
  });

  it('gets no secret sent to an address of its own, no file downloaded from one, and none removed', async () => {
    const heard: string[] = [];
    const server = createServer((request, response) => {
      heard.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const path = join(open, 'projects.csv');
      await writeFile(path, 'stage_application\nS1\n');
      const input = { ...(await pushInput(config, { tenantId: 'A', path })), gatewayUrl: url };
      assert.equal(await run('pushProjects', input), 'INPUT_REFUSED');
      const scheduled = pushSchedule(config, {
        tenantId: 'A',
        from: `${url}/x.csv`,
        times: { at: '17:00', timeZone: 'UTC' },
        timeZone: 'UTC',
        gatewayUrl: url,
      });
      assert.equal(await run('scheduledPush', scheduled.input), 'INPUT_REFUSED');
      assert.equal(await run('scheduledPush', { ...(scheduled.input as object), from: 'env:PATH' }), 'INPUT_REFUSED');
      assert.equal(
        await run('scheduledPush', { ...(scheduled.input as object), from: dirname(open) }),
        'INPUT_REFUSED',
      );
      assert.deepEqual(heard, []);
      // Ordered by a command that names the gateway, it is sent.
      const { handle } = await startPush(place.client, input, backend());
      await assert.rejects(handle.result());
      assert.deepEqual(heard, ['/import-projects Bearer the-secret-of-A']);
    } finally {
      server.close();
    }
  });
});
