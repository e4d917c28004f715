import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AnyInput, ImportReport } from '../../../src/messages/imports.ts';
import { importResult } from '../../../src/imports/follow.ts';
import { isDirectory } from '../../../src/imports/request.ts';
import { mergeOptions, importOptions } from '../../../src/messages/startOptions.ts';
import { PHASE_ORDER } from '../../../src/messages/phases.ts';
import { failureOf } from '../../../src/temporal/outcome.ts';
import { startOrAttach } from '../../../src/temporal/start.ts';
import { workflowBundle } from '../../../src/workflows/bundle.ts';
import {
  directoryInput,
  fileInput,
  refuse,
  startFakeWorker,
  statusOf,
  type Fakes,
  type FakeWorker,
} from '../../support/fakeActivities.ts';
import { sharedStack, TEST_CACHE } from '../../support/stack.ts';

const SLICE = {
  done: 10,
  skipped: 0,
  failed: 0,
  failures: 0,
  failedItems: [],
  rows: 10,
  errored: 0,
  codes: {},
  batches: 1,
};
const NOTHING = { inserted: 0, updated: 0, skipped: 0, stageLost: false };

describe('workflows with faked activities', function () {
  this.timeout(60_000);
  const taskQueue = `fakes-${randomUUID()}`;
  let temporal: string;
  let client: Client;
  let worker: FakeWorker;

  before(async () => {
    ({ temporal } = await sharedStack());
    client = new Client({ connection: await Connection.connect({ address: temporal }) });
    worker = await startFakeWorker(temporal, { taskQueue, codePath: workflowBundle(TEST_CACHE) });
  });
  after(async () => {
    await worker.stop();
    await client.connection.close();
  });

  const start = (input: AnyInput): Promise<WorkflowHandle> => {
    const options = importOptions({ workflowId: `fake/${randomUUID()}`, input, starter: 'test' });
    return startOrAttach(client, isDirectory(input) ? 'importDirectory' : 'importFile', input, options);
  };
  const run = async (input: AnyInput, fakes?: Fakes): Promise<ImportReport> => {
    worker.fake(fakes);
    return importResult(await start(input));
  };
  const times = (name: string): number => worker.calls.filter((call) => call === name).length;
  const both = [
    ['a file', fileInput(taskQueue), 'parse'],
    ['a directory', directoryInput(taskQueue), 'stageSlice'],
  ] as const;

  for (const [what, input, stage] of both) {
    describe(`the import of ${what}`, () => {
      it('goes through its phases in the order that everybody shows', async () => {
        const { status, phases, counts } = await run(input);
        assert.deepEqual([status, counts.inserted], ['completed', 30]);
        const order: readonly string[] = PHASE_ORDER[isDirectory(input) ? 'directory' : 'file'].commit;
        const shown = Object.keys(phases).filter((name) => order.includes(name));
        assert.deepEqual(
          shown,
          order.filter((name) => name !== 'compare'),
        );
      });

      it('that loses its stage twice stages it three times, and counts nothing twice', async () => {
        let lost = 0;
        const upsertPartition: Fakes['upsertPartition'] = ({ part }) =>
          part === 0 && lost++ < 2 ? { ...NOTHING, stageLost: true } : { ...NOTHING, inserted: 15 };
        const report = await run(input, { upsertPartition });
        assert.equal(report.status, 'completed', JSON.stringify(report.error));
        assert.deepEqual([times(stage), times('finalize'), report.counts.fetched], [9, 1, 30]);
        if (report.directory) assert.equal(report.directory.batches.completed, 3);
      });

      it('whose one runner of three fails cancels and awaits the others before it cleans up', async () => {
        const log: string[] = [];
        const work = (unit: number) => async (): Promise<unknown> => {
          if (unit === 1) return refuse('OBJECT_CORRUPT');
          const beat = setInterval(() => Context.current().heartbeat(), 100);
          await Context.current()
            .cancelled.catch((error: unknown) => {
              log.push('cancelled');
              throw error;
            })
            .finally(() => clearInterval(beat));
          return undefined;
        };
        const report = await run(input, {
          parse: (request) => work(request.chunk)(),
          stageSlice: (request) => work(request.slice)(),
          fail: () => void log.push('fail'),
          clearStage: () => void log.push('clearStage'),
        });
        assert.deepEqual([report.status, report.error?.code], ['failed', 'OBJECT_CORRUPT']);
        assert.deepEqual(log, ['cancelled', 'cancelled', 'fail', 'clearStage']);
      });

      it('that cannot record its failure ends with its report, its status and an empty stage all the same', async () => {
        const fail = () => refuse('DATABASE_DENIED');
        worker.fake({ parse: () => refuse('OBJECT_CORRUPT'), stageSlice: () => refuse('OBJECT_CORRUPT'), fail });
        const handle = await start(input);
        const report = await importResult(handle);
        assert.deepEqual([report.status, report.error?.code, report.runId], ['failed', 'OBJECT_CORRUPT', 'run']);
        assert.equal(await statusOf(client, handle.workflowId), 'failed');
        assert.equal(times('clearStage'), 1);
      });
    });
  }

  it('a directory of many partitions is counted by an activity: no local one, whose work a worker that ends would repeat', async () => {
    worker.fake();
    const handle = await start(directoryInput(taskQueue));
    await importResult(handle);
    const { events } = await handle.fetchHistory();
    const scheduled = events!.map(({ activityTaskScheduledEventAttributes: activity }) => activity?.activityType?.name);
    assert.ok(
      ['finalize', 'reconcile', 'clearStage'].every((name) => scheduled.includes(name)),
      String(scheduled),
    );
    assert.ok(!scheduled.includes('claimDirectory'));
  });

  it('a merge whose batch cannot be taken away says why it failed, not that', async () => {
    worker.fake({ mergeBatch: () => refuse('DATABASE_SCHEMA'), dropBatch: () => refuse('DATABASE_DENIED') });
    const input = { backend: 'postgres', tenantId: 'A', checksum: randomUUID(), taskQueue } as const;
    const handle = await startOrAttach(client, 'mergeProjects', input, mergeOptions(input, 'projects'));
    const { error } = await handle.result().then(assert.fail, (failed) => failureOf(failed, 'merge'));
    assert.equal(error.code, 'DATABASE_SCHEMA');
  });

  describe('whose host has no worker', () => {
    const interceptors = [fileURLToPath(new URL('../../support/missingHost.ts', import.meta.url))];
    const codePath = (): string => workflowBundle(TEST_CACHE, false, interceptors);
    let waiting: FakeWorker;
    const queue = `${taskQueue}-waiting`;
    const input = fileInput(queue, { fileQueue: `${queue}@gone` });

    before(async () => {
      waiting = await startFakeWorker(temporal, { taskQueue: queue, codePath: codePath() });
    });
    after(() => waiting.stop());

    it('waits, says so, and goes on when one comes', async () => {
      const handle = await start(input);
      while ((await statusOf(client, handle.workflowId)) !== 'waiting') await sleep(50);
      const { waiting: said } = await handle.query<ImportReport>('progress');
      assert.equal(said?.queue, `${queue}@gone`);
      const host = await startFakeWorker(temporal, { taskQueue: `${queue}@gone`, codePath: codePath() });
      const report = await importResult(handle);
      await host.stop();
      assert.deepEqual([report.status, report.waiting], ['completed', undefined]);
      assert.equal(await statusOf(client, handle.workflowId), 'completed');
    });

    it('or ends, with the queue and what to do', async () => {
      const handle = await client.workflow.start('scheduledImport', {
        workflowId: `fake/${randomUUID()}`,
        taskQueue: queue,
        args: [{ ...input, fileQueue: `${queue}@never`, request: {} }],
      });
      const { error } = await handle.result().then(assert.fail, (failed) => failureOf(failed, 'run'));
      assert.equal(error.code, 'HOST_UNAVAILABLE');
      assert.match(error.message, /@never, asked since /);
      assert.match(error.remedy, /INTAKE_HOST.*intake resume/);
    });
  });

  it('keeps the names of its things when traces are switched on or off in its midst', async () => {
    const change = async (from: boolean, to: boolean) => {
      const taskQueue = `traces-${randomUUID()}`;
      const imports = [fileInput(taskQueue), directoryInput(taskQueue)];
      let switched = false;
      let waiting = 0;
      const wait = () => {
        if (!switched) waiting++;
        if (!switched) throw ApplicationFailure.create({ message: 'not yet', nextRetryDelay: '50 ms' });
      };
      const workerOf = async (traced: boolean) => {
        const started = await startFakeWorker(temporal, { taskQueue, codePath: workflowBundle(TEST_CACHE, traced) });
        started.fake({ parse: () => (wait(), { rows: 10, errored: 0, codes: {} }), stageSlice: () => (wait(), SLICE) });
        return started;
      };
      const before = await workerOf(from);
      const handles = await Promise.all(imports.map(start));
      while (waiting < 4) await sleep(20);
      await before.stop();
      switched = true;
      const after = await workerOf(to);
      try {
        for (const handle of handles) {
          assert.equal((await importResult(handle)).status, 'completed');
          const { events = [] } = await handle.fetchHistory();
          const inputs = events!.flatMap(
            ({ activityTaskScheduledEventAttributes: scheduled, markerRecordedEventAttributes: local }) => [
              ...(scheduled?.input?.payloads ?? []),
              ...Object.values(local?.details ?? {}).flatMap(({ payloads }) => payloads ?? []),
            ],
          );
          const stages = inputs.flatMap(
            ({ data }) => /"stageId":"([^"]+)"/.exec(Buffer.from(data ?? []).toString())?.[1] ?? [],
          );
          assert.ok(stages.length > 1);
          assert.deepEqual([...new Set(stages)], [(await handle.describe()).runId]);
        }
      } finally {
        await after.stop();
      }
    };
    await Promise.all([change(false, true), change(true, false)]);
  });
});
