import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config.ts';
import { importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import { importInput } from '../../src/imports/request.ts';
import { freePort } from '../../src/observability/freePort.ts';
import { createLogger } from '../../src/observability/log.ts';
import { addSchedule, removeSchedule } from '../../src/schedules/change.ts';
import { retentionSchedule } from '../../src/schedules/definitions.ts';
import { listSchedules } from '../../src/schedules/view.ts';
import { startWorker, type RunningWorker } from '../../src/worker.ts';
import { writeGenerated } from '../support/directoryImport.ts';
import { openPlace, plaintiffsCsv, type Place } from '../support/imports.ts';
import { createDatabase, sharedStack, type TestDatabase } from '../support/stack.ts';

const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;

/** Samples by name and labels. @throws AssertionError for a line that is not Prometheus' text format, and for a sample told twice. */
function parse(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of page.split('\n').filter(Boolean)) {
    if (line.startsWith('#')) {
      const [, name] = /^# (?:HELP|TYPE) (\S+) .+$/.exec(line) ?? assert.fail(line);
      if (line.startsWith('# TYPE')) assert.ok(typed.size !== typed.add(name as string).size, `${name} has one type`);
      continue;
    }
    const [, name, labels, value] = SAMPLE.exec(line) ?? assert.fail(line);
    const key = `${name}{${(labels ?? '')
      .split(/,(?=\w+=)/)
      .sort()
      .join(',')}}`;
    assert.ok(!samples.has(key), `${key} is told once`);
    assert.ok(
      typed.has(name as string) || typed.has((name as string).replace(/_(bucket|sum|count)$/, '')),
      `${name} has a type`,
    );
    samples.set(key, Number(value));
  }
  return samples;
}

describe('metrics of a worker', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let place: Place;
  let worker: RunningWorker | undefined;
  let address: string;

  before(async () => {
    const stack = await sharedStack();
    database = await createDatabase();
    place = await openPlace({ temporal: stack.temporal, databaseUrl: database.databaseUrl });
  });
  after(async () => {
    await removeSchedule(place.client, 'imports-anomalies-retention').catch(() => undefined);
    await place?.close();
    await database?.drop();
  });
  afterEach(async () => {
    await worker?.shutdown();
    worker = undefined;
  });

  const start = async () => {
    address = `127.0.0.1:${await freePort(0)}`;
    worker = await startWorker(loadConfig({ ...place.env, INTAKE_METRICS_ADDRESS: address }), createLogger('fatal'));
  };
  const page = async (path = '/metrics') => (await fetch(`http://${address}${path}`)).text();

  it('tell how many schedules there are, and how they are', async () => {
    const { client, config } = place;
    const days = { importsDays: 60, anomaliesDays: 90 };
    const definition = retentionSchedule(config, { at: '03:10', timeZone: 'UTC' }, days);
    await addSchedule(client, definition, true);
    while (!(await listSchedules(client, config.taskQueue)).some(({ id }) => id === definition.id)) await sleep(50);
    await start();
    const told = async (sample: string): Promise<string | undefined> =>
      (await page())
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length + 1);
    const active = 'intake_schedules{workflow="retention",state="active"}';
    while ((await told(active)) === undefined) await sleep(50);
    assert.ok(Number(await told(active)) >= 1);
    assert.equal(await told('intake_imports_waiting'), '0');
  });

  it("tell the rows, durations, bytes and failures of imports, and what Temporal's SDK measures", async () => {
    await start();
    const { status, counts } = await place.run(
      await place.input({ path: await place.file(plaintiffsCsv(300)) }, { chunkBytes: 4096, partitionRows: 100 }),
    );
    assert.equal(status, 'completed');
    assert.ok(counts.inserted > 0 && counts.skipped > 0 && counts.errored > 0);
    // The SDK counts a workflow after Temporal has told us that it ended.
    const told = async () => parse(await page());
    let before = await told();
    for (
      ;
      ![...before.keys()].some((key) => key.startsWith('temporal_workflow_completed_total{'));
      before = await told()
    )
      await sleep(50);
    const rows = Object.fromEntries(
      ['inserted', 'updated', 'skipped', 'errored'].map((outcome) => [
        outcome,
        before.get(`intake_rows_total{kind="plaintiffs",outcome="${outcome}"}`),
      ]),
    );
    assert.deepEqual({ ...rows, fetched: counts.fetched }, counts);
    assert.ok(
      before.get('intake_activity_duration_seconds_count{activity="upsertPartition",outcome="completed"}')! >= 3,
    );
    assert.ok(before.get('intake_activity_duration_seconds_sum{activity="parse",outcome="completed"}')! > 0);
    assert.equal(before.get('intake_imports_total{outcome="completed"}'), 1);
    assert.equal(before.get('intake_imports_total{outcome="failed"}'), 0);
    assert.ok(
      before.get('intake_bytes_total{transfer="staged"}')! > 0 &&
        before.get('intake_bytes_total{transfer="stored"}')! > 0,
    );
    assert.ok(before.get('process_resident_memory_bytes{}')! > 0);
    assert.ok([...before.keys()].some((key) => key.startsWith('temporal_activity_execution_latency_seconds_bucket{')));

    const refused = await place.run(
      await place.input({ path: await place.file('Email\na@example.com\n'), mode: 'dry-run' }),
    );
    assert.equal(refused.status, 'failed');
    const after = parse(await page());
    assert.equal(
      after.get('intake_activity_failures_total{activity="plan",code="MISSING_COLUMNS"}'),
      1,
      JSON.stringify(refused.error),
    );
    assert.equal(after.get('intake_activity_duration_seconds_count{activity="plan",outcome="failed"}'), 1);
    assert.equal(after.get('intake_rows_total{kind="plaintiffs",outcome="inserted"}'), counts.inserted);
  });

  it('tell the images of directories: hashed and uploaded once, cached and skipped when they come again', async () => {
    await start();
    const directory = join(place.dir, 'tree');
    writeGenerated(directory, { seed: 3, files: 6, imageBytes: 2000 }); // of long ago: what was written in this second is not kept
    const imported = async (tag: string) => {
      const input = await importInput(place.config, {
        kind: 'search-results',
        mode: 'commit',
        path: directory,
        directory: { tag },
      });
      const { status, counts, error } = await importResult(await startImport(place.client, input));
      assert.equal(status, 'completed', JSON.stringify(error));
      const samples = parse(await page());
      const images = (outcome: string) => samples.get(`intake_images_total{outcome="${outcome}"}`) ?? 0;
      return { counts, inserted: samples.get('intake_rows_total{kind="search-results",outcome="inserted"}'), images };
    };
    const first = await imported('one');
    assert.ok(first.images('hashed') > 0);
    assert.equal(first.images('uploaded'), first.images('hashed'));
    assert.deepEqual([first.images('failed'), first.inserted], [0, first.counts.inserted]);
    const again = await imported('two');
    assert.equal(again.images('hashed'), first.images('hashed'));
    assert.equal(again.images('cached') - first.images('cached'), first.images('hashed'));
    assert.equal(again.images('uploaded'), first.images('uploaded'));
    assert.equal(again.images('skipped') - first.images('skipped'), first.images('uploaded'));
  });

  it('count the running imports of the task queue at each scrape', async () => {
    await start();
    const input = await place.input({ path: await place.file(plaintiffsCsv(10)) });
    // Nobody serves this host's files: the import waits.
    const handle = await place.client.workflow.start('importFile', {
      workflowId: 'metrics/waiting',
      taskQueue: input.taskQueue,
      args: [{ ...input, fileQueue: 'nobody' }],
    });
    const running = async () => parse(await page()).get('intake_imports_running{}');
    while ((await running()) !== 1) await sleep(50);
    await handle.terminate();
    while ((await running()) !== 0) await sleep(50);
  });

  it('name nothing of a file: no path, no file name, no cell, no id', async () => {
    await start();
    const path = await place.file(
      'Name,Email\nZacharias Quill,zq@example.com\nBad,not an address\n',
      'confidential-clients.csv',
    );
    const { runId } = await place.run(await place.input({ path, sourceSystem: 'acme-law', batchId: 'batch-7' }));
    const text = await page();
    for (const secret of [
      'Quill',
      'example.com',
      'not an address',
      'confidential',
      'acme-law',
      'batch-7',
      place.dir,
      runId as string,
    ]) {
      assert.ok(!text.includes(secret), secret);
    }
  });

  it('are served beside a health check, and nothing else is', async () => {
    await start();
    const healthy = async () => (await fetch(`http://${address}/healthz`)).status;
    while ((await healthy()) !== 200) await sleep(50);
    assert.equal(await page('/healthz'), 'ok\n');
    assert.equal((await fetch(`http://${address}/other`)).status, 404);
    assert.equal((await fetch(`http://${address}/metrics`, { method: 'POST' })).status, 405);
    const { headers } = await fetch(`http://${address}/metrics`);
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  });

  it('do not keep a worker from working while their address is taken, and come once it is free', async () => {
    const other: Server = createServer((_request, response) => response.end('other\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    worker = await startWorker(loadConfig({ ...place.env, INTAKE_METRICS_ADDRESS: address }), createLogger('silent'));
    const { status } = await place.run(await place.input({ path: await place.file('Name\nAnyone\n') }));
    assert.equal(status, 'completed');
    assert.equal(await page(), 'other\n');
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
    while (!(await page().catch(() => '')).includes('intake_rows_total')) await sleep(100);
  });

  it('are off, and neither their library nor that of traces is loaded, unless they are configured', async () => {
    const { metrics, traces } = loadConfig({});
    assert.deepEqual([metrics, traces], [undefined, undefined]);
    const worker = new URL('../../src/worker.ts', import.meta.url).href;
    const program = `await import(${JSON.stringify(worker)});
      const loaded = Object.keys(process.getBuiltinModule('module')._cache);
      console.log(loaded.some((path) => /@temporalio/.test(path)), loaded.filter((path) => /prom-client|interceptors-opentelemetry|otlp/.test(path)).length)`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    assert.equal(stdout, 'true 0\n');
  });

  it('listen on 127.0.0.1 unless a host is named', () => {
    assert.deepEqual(loadConfig({ INTAKE_METRICS_ADDRESS: '9464' }).metrics, { host: '127.0.0.1', port: 9464 });
    assert.deepEqual(loadConfig({ INTAKE_METRICS_ADDRESS: '[::1]:9464' }).metrics, { host: '::1', port: 9464 });
    assert.throws(() => loadConfig({ INTAKE_METRICS_ADDRESS: 'http://x:1/' }), /INTAKE_METRICS_ADDRESS/);
  });
});
