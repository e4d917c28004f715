import { strict as assert } from 'node:assert';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { loadConfig } from '../../src/config.ts';
import { importProgress, importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { createLogger } from '../../src/observability/log.ts';
import { flushTraces } from '../../src/observability/traces.ts';
import { startWorker, type RunningWorker } from '../../src/worker.ts';
import type { ImportInput } from '../../src/messages/imports.ts';
import { openPlace, plaintiffsCsv, type Place } from '../support/imports.ts';
import { createDatabase, sharedStack, type TestDatabase } from '../support/stack.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  readonly status: { readonly code: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

describe('traces of an import', function () {
  this.timeout(60_000);
  let collector: Server;
  let received: Export[] = [];
  let database: TestDatabase;
  let place: Place;
  let worker: RunningWorker;
  let client: Client;
  let run: (input: ImportInput) => Promise<void>;

  before(async () => {
    collector = createServer(async (request, response) => {
      if (request.method === 'POST' && request.url === '/v1/traces') received.push((await json(request)) as Export);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => collector.once('listening', resolve));
    const stack = await sharedStack();
    database = await createDatabase();
    place = await openPlace({ temporal: stack.temporal, databaseUrl: database.databaseUrl });
    const config = loadConfig({
      ...place.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`,
    });
    worker = await startWorker(config, createLogger('fatal'));
    client = await connectTemporal(config);
    run = async (input) => {
      const handle = await startImport(client, input);
      await importProgress(handle);
      await importResult(handle);
      await flushTraces();
    };
  });
  after(async () => {
    await worker?.shutdown();
    await client?.connection.close();
    await place?.close();
    await database?.drop();
    collector?.closeAllConnections();
    collector?.close();
  });
  beforeEach(() => (received = []));

  const spans = () =>
    received.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
  /** The spans so far, once the one of this name has come. */
  const spansWith = async (name: string) => {
    while (!spans().some((span) => span.name === name)) await sleep(50);
    return spans();
  };
  const attribute = ({ attributes }: Pick<Span, 'attributes'>, name: string) =>
    attributes.find(({ key }) => key === name)?.value.stringValue;

  it('holds the start, the workflow and all of its activities in one trace', async () => {
    await run(
      await place.input({ path: await place.file(plaintiffsCsv(100)) }, { chunkBytes: 4096, partitionRows: 40 }),
    );
    const all = await spansWith('RunWorkflow:importFile');
    const start = all.find(({ name }) => name === 'StartWorkflow:importFile')!;
    const workflow = all.find(({ name }) => name === 'RunWorkflow:importFile')!;
    assert.equal(start.parentSpanId, undefined);
    assert.equal(workflow.parentSpanId, start.spanId);
    assert.deepEqual(new Set(all.map(({ traceId }) => traceId)), new Set([start.traceId]));
    const steps = [
      'plan',
      'hash',
      'claim',
      'upload',
      'parse',
      'upsertPartition',
      'finalize',
      'reconcile',
      'clearStage',
    ];
    for (const step of steps) {
      const run = all.find(({ name }) => name === `RunActivity:${step}`);
      const asked = all.find(({ spanId }) => spanId === run?.parentSpanId);
      assert.equal(asked?.name, `StartActivity:${step}`);
      assert.equal(asked.parentSpanId, workflow.spanId);
    }
    assert.ok(all.filter(({ name }) => name === 'RunActivity:parse').length > 1);
    assert.equal(attribute(received[0]!.resourceSpans[0]!.resource, 'service.name'), 'intake');
    assert.match(attribute(workflow, 'workflowId') ?? '', /^import\/plaintiffs\//);
  });

  it('says nothing of a file: no path, no file name, no cell, no text of an error; of a failure its code', async () => {
    const path = await place.file(
      'Name,Email\nZacharias Quill,zq@example.com\nBad,not an address\n',
      'confidential-clients.csv',
    );
    await run(await place.input({ path }));
    const refused = await place.file('Street\nElm Row 5\n', 'confidential-streets.csv');
    await run(await place.input({ path: refused, batchId: 'refused' }));
    const all = await spansWith('RunActivity:plan');
    while (spans().filter(({ name }) => name === 'RunWorkflow:importFile').length < 2) await sleep(50);
    const text = JSON.stringify(received);
    for (const secret of [
      'Quill',
      'example.com',
      'not an address',
      'confidential',
      'Street',
      'Elm',
      place.dir,
      'node_modules',
      'exception',
      'memo',
    ]) {
      assert.ok(!text.includes(secret), secret);
    }
    const failed = all.find((span) => span.name === 'RunActivity:plan' && span.status.code === 2);
    assert.equal(failed && attribute(failed, 'error.type'), 'MISSING_COLUMNS');
  });

  it('leaves out those who only look', async () => {
    await run(await place.input({ path: await place.file('Name\nAnyone\n') }));
    const names = (await spansWith('RunWorkflow:importFile')).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => /Query|Describe/.test(name)),
      [],
    );
  });

  it('sends what waits when the worker stops, and does not wait long for a collector that is away', async () => {
    await run(await place.input({ path: await place.file('Name\nSomebody\n') }));
    await worker.shutdown();
    assert.ok(spans().some(({ name }) => name === 'RunWorkflow:importFile'));
    collector.closeAllConnections();
    collector.close();
    await assert.rejects(client.workflow.getHandle('absent').signal('any'), { name: 'WorkflowNotFoundError' });
    await flushTraces();
  });
});
