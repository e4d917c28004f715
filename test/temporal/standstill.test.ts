/** Imports whose workflow cannot go on, has no worker, or is gone: they are seen, and there is a way out that doubles nothing. */
import { strict as assert } from 'node:assert';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workflowState } from '../../src/gateway/dashboard/report.ts';
import { intakeAt } from '../cli/cli.ts';
import { openBackends, type Backends } from '../../src/database/backends/open.ts';
import { importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import type { WorkflowHandle } from '@temporalio/client';
import type { Run } from '../../src/database/rows.ts';
import type { ImportInput } from '../../src/messages/imports.ts';
import { conditionOf, leftBehind } from '../../src/runs/condition.ts';
import type { Connections } from '../../src/runs/connections.ts';
import { findRun } from '../../src/runs/findRun.ts';
import { isPolled } from '../../src/temporal/pollers.ts';
import { standstillOf, type Standstill } from '../../src/temporal/standstill.ts';
import { workflowBundle } from '../../src/workflows/bundle.ts';
import { openPlace, plaintiffsCsv, spawnWorker, type Place } from '../support/imports.ts';
import { createDatabase, sharedStack, TEST_CACHE, type TestDatabase } from '../support/stack.ts';
import { startTestWorker } from '../support/worker.ts';

describe('an import that cannot go on', function () {
  this.timeout(240_000);
  let database: TestDatabase;
  let place: Place;
  let backends: Backends;
  let connections: Connections;
  before(async () => {
    const { temporal } = await sharedStack();
    database = await createDatabase();
    place = await openPlace({ temporal, databaseUrl: database.databaseUrl });
    backends = await openBackends(place.config);
    connections = {
      temporal: async () => place.client,
      backend: async (name = 'postgres') => backends.get(name),
    };
  });
  after(async () => {
    await backends.close();
    await place.close();
    await database.drop();
  });

  /** The workflows as a release that has one step more. */
  async function otherRelease(): Promise<string> {
    const text = await readFile(workflowBundle(TEST_CACHE), 'utf8');
    const at = text.indexOf('.runToEnd(async ()=>{', text.indexOf('async function importFile('));
    assert.ok(at > 0);
    const head = text.slice(0, at) + '.runToEnd(async ()=>{';
    const path = join(place.dir, 'other-release.js');
    await writeFile(
      path,
      `${head} await (0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.sleep)(1);${text.slice(head.length)}`,
    );
    return path;
  }

  /** Imports that a worker left in the middle of their upserts. */
  async function left<N extends string>(...names: readonly N[]) {
    const worker = spawnWorker(place.env);
    const imports = {} as Record<N, { input: ImportInput; handle: WorkflowHandle; run: () => Promise<Run> }>;
    await place.sql.begin(async (tx) => {
      await tx`LOCK TABLE public.plaintiffs IN ACCESS EXCLUSIVE MODE`;
      for (const name of names) {
        const path = await place.file(plaintiffsCsv(60).replaceAll(/person/gi, name), `${name}.csv`);
        const input = await place.input({ path }, { partitionRows: 100 });
        const handle = await startImport(place.client, input);
        const run = async () => {
          const [row] = await place.sql<
            { id: string }[]
          >`SELECT id FROM ingest.import_runs WHERE worker_id = ${handle.workflowId}`;
          return findRun(connections, row!.id);
        };
        imports[name] = { input, handle, run };
      }
      const waits = () =>
        place.sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      while ((await waits()).length < names.length) await sleep(20);
      await worker.stop('SIGKILL');
    });
    return imports;
  }
  async function standing(
    handle: Parameters<typeof standstillOf>[0],
    reason: Standstill['reason'],
  ): Promise<Standstill> {
    for (;;) {
      const found = await standstillOf(handle);
      if (found?.reason === reason) return found;
      await sleep(200);
    }
  }

  it('is seen, for what reason, and ends or begins anew as its operator wants, without doubling anything', async () => {
    const { unserved, lost, failing, refused } = await left('unserved', 'lost', 'failing', 'refused');

    const { message } = await standing(unserved.handle, 'unserved');
    assert.match(message, /No worker polls task queue 'test-.*since \d{4}-/);
    assert.equal((await conditionOf(connections, await unserved.run()))?.name, 'UNSERVED');
    const started = { ...connections, workerComesUp: () => true };
    assert.equal((await conditionOf(started, await unserved.run()))?.name, 'running');
    const intake = (...args: string[]) => intakeAt(place.dir, args, place.env).ended;
    const idOf = async ({ run }: typeof unserved) => (await run()).id;
    const stateOf = async ({ run, handle: { workflowId: workflow_id } }: typeof unserved) => {
      const { id, status } = await run();
      return workflowState(place.client, { id, status, workflow_id, execution: null });
    };
    const cancel = async (one: typeof unserved) => {
      const { code, stdout, stderr } = await intake('cancel', await idOf(one));
      assert.match(stdout, /is cancelled/, stderr);
      return code;
    };
    const unservedId = await idOf(unserved);
    const watching = intakeAt(place.dir, ['runs', 'watch', unservedId], place.env);
    await new Promise<void>((heard) =>
      watching.onError((text) => void (/No worker polls .*intake worker/.test(text) && heard())),
    );
    assert.deepEqual([await cancel(unserved), (await unserved.run()).status], [0, 'failed']);
    const watched = await watching.ended;
    assert.deepEqual(
      [watched.code, /^CANCELLED: The import was ended from outside/m.test(watched.stderr)],
      [1, true],
      watched.stderr,
    );

    // Whoever was watching hears what `runs` says of it.
    const lostId = await idOf(lost);
    const bereft = intakeAt(place.dir, ['runs', 'watch', lostId], place.env);
    await new Promise<void>((heard) => bereft.onError((text) => void (/No worker polls/.test(text) && heard())));
    await place.client.workflowService.deleteWorkflowExecution({
      namespace: place.client.options.namespace,
      workflowExecution: { workflowId: lost.handle.workflowId },
    });
    const told = await bereft.ended;
    assert.deepEqual(
      [told.code, /^ORPHANED: .*intake resume/m.test(told.stderr), /CANCELLED/.test(told.stderr)],
      [1, true, false],
      told.stderr,
    );
    const listed = await intake('runs');
    assert.match(listed.stdout, /ORPHANED/);
    assert.match(listed.stdout + listed.stderr, new RegExp(`intake resume ${lostId}[^]*In progress: .*1 ORPHANED`));
    const watch = await intake('runs', 'watch', lostId);
    assert.deepEqual([watch.code, /^ORPHANED: .*intake resume/m.test(watch.stderr)], [1, true], watch.stderr);
    const doctor = await intake('doctor', '--json');
    const runs = (JSON.parse(doctor.stdout) as { checks: { name: string; ok: boolean; detail: string }[] }).checks.find(
      ({ name }) => name === 'runs',
    );
    assert.deepEqual([doctor.code, runs?.ok, /1 ORPHANED/.test(runs?.detail ?? '')], [1, false, true], runs?.detail);
    assert.deepEqual(await stateOf(lost), { running: false });
    const orphan = await conditionOf(connections, await lost.run());
    assert.deepEqual(
      [orphan?.name, orphan?.remedy?.includes(`intake resume ${(await lost.run()).id}`)],
      ['ORPHANED', true],
    );
    assert.equal((await leftBehind(connections, lost.handle.workflowId))?.code, 'ORPHANED');

    const other = await startTestWorker(place.config, { workflowBundle: await otherRelease() });
    const found = await standing(failing.handle, 'failing');
    assert.match(found.message, /cannot go on since \d{4}.*release of the workers does not fit its history/);
    const condition = await conditionOf(connections, await failing.run());
    assert.deepEqual(
      [condition?.name, condition?.remedy?.includes(`intake resume ${(await failing.run()).id} --restart`)],
      ['FAILING', true],
    );
    const shown = await stateOf(failing);
    assert.equal(shown.standstill?.reason, 'failing');
    const stands = await intake('runs', 'in-progress');
    assert.match(
      stands.stdout + stands.stderr,
      /FAILING[^]*intake resume [0-9a-f-]+ --restart[^]*In progress: .*FAILING/,
    );
    await standing(refused.handle, 'failing');
    assert.deepEqual([await cancel(refused), (await refused.run()).status], [0, 'failed']);
    await other.shutdown();

    const worker = await startTestWorker(place.config);
    // Who polls is told by the server's clock, however wrong this one is.
    const { taskQueue } = place.config;
    while (!(await isPolled(place.client, taskQueue, 'workflow'))) await sleep(50);
    for (const minutes of [30, -30, 2, -2])
      assert.ok(await isPolled(place.client, taskQueue, 'workflow', () => Date.now() + minutes * 60_000), `${minutes}`);
    assert.equal(await isPolled(place.client, `nobody-${taskQueue}`, 'workflow', () => Date.now() - 1_800_000), false);
    const restarted = await intake('resume', await idOf(failing), '--restart');
    assert.equal(restarted.code, 0, restarted.stderr);
    assert.match(restarted.stderr + restarted.stdout, /begins again[^]*COMPLETED: 60 fetched/);
    assert.equal(await conditionOf(connections, await failing.run()), undefined);
    for (const { input, run } of [lost, unserved, refused]) {
      const { status, runId, error } = await importResult(await startImport(place.client, input));
      assert.deepEqual([status, runId], ['completed', (await run()).id], JSON.stringify(error));
    }
    for (const { run } of [unserved, lost, failing, refused]) {
      const { id, rows_inserted } = await run();
      const [found] = await place.sql`
        SELECT count(*)::int AS landed, count(DISTINCT row_index)::int AS rows,
               (SELECT count(*)::int FROM public.plaintiffs p WHERE p.import_run_id = ${id}) AS made
        FROM ingest.plaintiffs_raw WHERE import_run_id = ${id}`;
      assert.deepEqual({ ...found }, { landed: 60, rows: 60, made: rows_inserted });
    }
    await worker.shutdown();
  });
});
