import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { loadConfig, type Config } from '../../src/config.ts';
import { openBackends, type Backends } from '../../src/database/backends/open.ts';
import { outcomeOf } from '../../src/temporal/outcome.ts';
import { createLogger } from '../../src/observability/log.ts';
import { listPushes } from '../../src/push/list.ts';
import { pushInput, pushResult, startPush } from '../../src/push/push.ts';
import {
  addSchedule,
  backfillSchedule,
  moveSchedule,
  pauseSchedule,
  removeSchedule,
  requireOwn,
  resumeSchedule,
  setTimes,
  triggerSchedule,
} from '../../src/schedules/change.ts';
import {
  alertsSchedule,
  importSchedule,
  pushSchedule,
  retentionSchedule,
  type Definition,
} from '../../src/schedules/definitions.ts';
import { orderSchedule } from '../../src/schedules/order.ts';
import { noticeMissed } from '../../src/schedules/notices.ts';
import { describeSchedule, listSchedules, type ScheduleRun } from '../../src/schedules/view.ts';
import { startWorker, type RunningWorker } from '../../src/worker.ts';
import type { ScheduledImportReport } from '../../src/workflows/schedules/scheduledImport.ts';
import type { Notice } from '../../src/messages/notices.ts';
import type { AssessedAlert, ScheduledPushReport } from '../../src/messages/schedules.ts';
import { openGatewayPlace, type GatewayPlace } from '../gateway/place.ts';
import { historiesOf, payloadsOf, plaintiffsCsv } from '../support/imports.ts';

const ADELAIDE = 'Australia/Adelaide';
const HOUR = 3_600_000;

describe('schedules', function () {
  this.timeout(120_000);
  let gateways: GatewayPlace;
  let worker: RunningWorker;
  let config: Config;
  let server: Server;
  let backends: Backends;
  let url: string;
  const received: AssessedAlert[] = [];
  const notices: Notice[] = [];
  let hookAnswers = 204;
  const served = new Map<string, Buffer>();
  const added = new Set<string>();
  const client = () => gateways.place.client;
  const sql = () => gateways.place.sql;
  const names = Array.from({ length: 60 }, () => `T${randomUUID().slice(0, 8)}`);
  const tenant = (): string => names.pop()!;

  before(async () => {
    server = createServer((request, response) => {
      const body: Buffer[] = [];
      request
        .on('data', (block: Buffer) => body.push(block))
        .on('end', () => {
          if (request.method === 'POST') {
            const document = JSON.parse(Buffer.concat(body).toString()) as never;
            (request.url === '/notify' ? notices : received).push(document);
          }
          const file = served.get(request.url ?? '');
          const allowed =
            request.url !== '/secret.csv?token=SECRET' ||
            request.headers.authorization === `Basic ${Buffer.from('user:SECRET').toString('base64')}`;
          response
            .writeHead(
              request.method === 'POST'
                ? request.url === '/notify'
                  ? 204
                  : hookAnswers
                : !allowed
                  ? 403
                  : file
                    ? 200
                    : 404,
            )
            .end(file);
        });
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env['TEST_PROJECTS_FROM'] = `${url.replace('//', '//user:SECRET@')}/secret.csv?token=SECRET`;
    gateways = await openGatewayPlace([]);
    await sql()`INSERT INTO ingest.tenants (tenant_id) SELECT unnest(${names}::text[])`;
    const gateway = await gateways.open();
    config = loadConfig({
      ...gateways.env,
      INTAKE_GATEWAY_URL: gateway.url,
      ANOMALIES_ALERT_WEBHOOK: `${url}/hook`,
      ANOMALIES_ALERT_ALLOW_PRIVATE: 'true',
      INTAKE_NOTIFY_WEBHOOK: `${url}/notify`,
      INTAKE_NOTIFY_ALLOW_PRIVATE: 'true',
    });
    worker = await startWorker(config, createLogger('fatal'));
    backends = await openBackends(config, undefined, ['postgres']);
  });
  after(async () => {
    delete process.env['TEST_PROJECTS_FROM'];
    for (const id of added) await removeSchedule(client(), id).catch(() => undefined);
    await gateways.close();
    await worker.shutdown();
    await backends.close();
    server.close();
  });

  const add = async (definition: Definition): Promise<string> => {
    added.add(definition.id);
    await orderSchedule(backends.get('postgres'), definition);
    await addSchedule(client(), definition, true);
    return definition.id;
  };
  const folder = async (): Promise<string> => {
    const path = join(gateways.place.dir, randomUUID());
    await mkdir(path);
    return path;
  };
  const csv = (...keys: string[]): string => `stage_application\n${keys.join('\n')}\n`;
  const push = (tenantId: string, from: string) =>
    pushSchedule(config, { tenantId, from, times: { at: '17:00', timeZone: ADELAIDE }, timeZone: ADELAIDE });
  /** The runs that it has when there are so many and all have ended. */
  const runsOf = async (id: string, count: number): Promise<readonly ScheduleRun[]> => {
    for (;;) {
      const { runs } = await describeSchedule(client(), id);
      if (runs.length >= count && runs.every(({ status }) => status !== 'running')) return runs;
      await sleep(100);
    }
  };
  const reportOf = async <T>({ workflow_id }: ScheduleRun): Promise<T> => {
    const outcome = await outcomeOf<T>(client().workflow.getHandle(workflow_id), 'run');
    return outcome.status === 'completed' ? outcome.answer : (outcome.report as T);
  };
  /** Acts now. */
  const once = async <T>(id: string): Promise<T> => {
    const before = (await describeSchedule(client(), id)).runs.length;
    await triggerSchedule(client(), id);
    return reportOf<T>((await runsOf(id, before + 1))[0]!);
  };
  const keysOf = async (tenantId: string): Promise<string[]> =>
    (await sql()`SELECT stage_application FROM public.projects WHERE tenant_id = ${tenantId} ORDER BY id`).map(
      ({ stage_application }) => String(stage_application),
    );

  describe('of a daily push', () => {
    it('keep 17:00 of their zone on both sides of a change of the clocks', async () => {
      for (const [from, to, times] of [
        [
          '2026-10-03T00:00Z',
          '2026-10-06T00:00Z',
          ['2026-10-03T07:30:00Z', '2026-10-04T06:30:00Z', '2026-10-05T06:30:00Z'],
        ],
        [
          '2026-04-04T00:00Z',
          '2026-04-07T00:00Z',
          ['2026-04-04T06:30:00Z', '2026-04-05T07:30:00Z', '2026-04-06T07:30:00Z'],
        ],
      ] as const) {
        const id = await add(push(tenant(), await folder()));
        await backfillSchedule(client(), id, new Date(from), new Date(to));
        const runs = await runsOf(id, 3);
        assert.deepEqual(
          runs.map(({ workflow_id }) => workflow_id).reverse(),
          times.map((time) => `schedule/${id}-${time}`),
        );
        assert.deepEqual(
          runs.map(({ status }) => status),
          ['completed', 'completed', 'completed'],
        );
      }
    });

    it('push the files of a folder in the order of their making: A, B, A ends with A', async () => {
      const [tenantId, from] = [tenant(), await folder()];
      const id = await add(push(tenantId, from));
      assert.deepEqual(await once(id), {
        status: 'completed',
        tenantId,
        files: 0,
        leftOut: 0,
        rows: 0,
        batches: 0,
        note: 'The folder has no CSV or JSON file',
        metrics: {
          inserted_projects: 0,
          updated_projects: 0,
          org_memberships_upserted: 0,
          user_memberships_upserted: 0,
          anomalies_count: 0,
          values_cleared: 0,
          memberships_removed: 0,
        },
      });
      await writeFile(join(from, 'a.csv'), csv('second'));
      await writeFile(join(from, 'b.json'), '[{"stage_application":"first"}]');
      await writeFile(join(from, 'c.csv'), csv('third'));
      await writeFile(join(from, 'notes.txt'), 'no projects');
      const day = (n: number) => new Date(Date.UTC(2026, 0, n));
      await Promise.all(
        [
          ['a.csv', 2],
          ['b.json', 1],
          ['c.csv', 2],
        ].map(([name, n]) => utimes(join(from, name as string), day(n as number), day(n as number))),
      );
      const { files, rows, leftOut, metrics } = await once<ScheduledPushReport>(id);
      assert.deepEqual([files, rows, leftOut, metrics.inserted_projects], [3, 3, 0, 3]);
      assert.deepEqual(await keysOf(tenantId), ['first', 'second', 'third']);
      await writeFile(join(from, 'copy of a.csv'), csv('second'));
      await writeFile(join(from, 'd.csv'), csv('fourth'));
      const again = await once<ScheduledPushReport>(id);
      // The copy is newer than what was pushed since: the last file decides.
      assert.deepEqual([again.files, again.leftOut], [2, 3]);
      assert.match((await once<ScheduledPushReport>(id)).note!, /nothing that was not pushed before/);
      assert.deepEqual(await keysOf(tenantId), ['first', 'second', 'third', 'fourth']);
    });

    it('stop at a file that cannot be pushed, name it, and go on with it the next day', async () => {
      const [tenantId, from] = [tenant(), await folder()];
      const id = await add(push(tenantId, from));
      await writeFile(join(from, 'a.csv'), csv('one'));
      await writeFile(join(from, 'b.csv'), 'stage_application,residential\ntwo,many\n');
      const failed = await once<ScheduledPushReport>(id);
      assert.deepEqual([failed.status, failed.files, failed.error?.code], ['failed', 1, 'INVALID_ROW']);
      assert.match(failed.error!.message, /^b\.csv: .*residential.*\(line 2\)$/);
      await writeFile(join(from, 'b.csv'), csv('two'));
      assert.equal((await once<ScheduledPushReport>(id)).files, 1);
      assert.deepEqual(await keysOf(tenantId), ['one', 'two']);
    });

    it('push a file as it is then, also the same again', async () => {
      const [tenantId, path] = [tenant(), await gateways.place.file(csv('one'))];
      const id = await add(push(tenantId, path));
      assert.equal((await once<ScheduledPushReport>(id)).files, 1);
      await writeFile(path, csv('two'));
      await once(id);
      await writeFile(path, csv('one'));
      assert.equal((await once<ScheduledPushReport>(id)).files, 1);
      assert.deepEqual(await keysOf(tenantId), ['one', 'two']);
    });

    it('download from an address, packed or not, whose secrets stay in the environment', async () => {
      served.set('/projects.csv.gz', gzipSync(csv('packed')));
      served.set('/secret.csv?token=SECRET', Buffer.from(csv('secret')));
      const tenantId = tenant();
      const id = await add(push(tenantId, `${url}/projects.csv.gz`));
      assert.equal((await once<ScheduledPushReport>(id)).files, 1);
      await add(push(tenantId, 'env:TEST_PROJECTS_FROM'));
      assert.equal((await once<ScheduledPushReport>(id)).files, 1);
      assert.deepEqual(await keysOf(tenantId), ['packed', 'secret']);
      process.env['TEST_PROJECTS_FROM'] += 'x';
      const refused = await once<ScheduledPushReport>(id);
      assert.deepEqual(
        [refused.error?.code, refused.error?.message],
        ['DOWNLOAD_REFUSED', `${url.slice(7)}/secret.csv answered 404`],
      );
      for (const { workflow_id } of await runsOf(id, 3)) {
        const handle = client().workflow.getHandle(workflow_id);
        const { runId } = await handle.describe();
        const texts = (await historiesOf(client(), Object.assign(handle, { firstExecutionRunId: runId })))
          .flatMap(payloadsOf)
          .map(String)
          .join('\n');
        assert.ok(texts.includes(tenantId));
        assert.doesNotMatch(texts, /SECRET|user:/);
      }
    });

    it('wait for a push of the tenant that somebody started by hand', async () => {
      const [tenantId, path] = [tenant(), await gateways.place.file(csv('by hand 1', 'by hand 2', 'by hand 3'))];
      const { handle } = await startPush(client(), await pushInput(config, { tenantId, path, batchRows: 1 }));
      const id = await add(push(tenantId, await gateways.place.file(csv('scheduled'))));
      assert.equal((await once<ScheduledPushReport>(id)).status, 'completed');
      assert.equal((await pushResult(handle)).status, 'completed');
      assert.equal((await keysOf(tenantId)).at(-1), 'scheduled');
    });
  });

  it('tell apart runs of the same time, which have one workflow id', async () => {
    const path = await gateways.place.file(plaintiffsCsv(2));
    const id = await add(
      importSchedule(config, {
        request: { kind: 'plaintiffs', path, mode: 'commit', sourceSystem: tenant() },
        times: { everyMinutes: 60 },
      }),
    );
    for (const [n, text] of [plaintiffsCsv(2), 'firm\nA\n'].entries()) {
      await writeFile(path, text);
      await backfillSchedule(client(), id, new Date('2026-10-03T00:30Z'), new Date('2026-10-03T01:30Z'));
      await runsOf(id, n + 1);
    }
    const runs = await runsOf(id, 2);
    assert.equal(new Set(runs.map(({ workflow_id }) => workflow_id)).size, 1);
    assert.deepEqual(
      runs.map(({ status }) => status),
      ['failed', 'completed'],
    );
  });

  it('of an import read the file at their time and run the usual workflow', async () => {
    const path = await gateways.place.file(plaintiffsCsv(5));
    const source = tenant();
    const id = await add(
      importSchedule(config, {
        request: { kind: 'plaintiffs', path, mode: 'commit', sourceSystem: source },
        times: { everyMinutes: 60 },
      }),
    );
    assert.equal(id, `plaintiffs-${source}`);
    const first = await once<ScheduledImportReport>(id);
    assert.deepEqual(
      [first.status, first.counts?.inserted, first.workflowId.split('/').slice(0, 3)],
      [
        'completed',
        first.counts!.fetched - first.counts!.skipped - first.counts!.errored,
        ['import', 'plaintiffs', source],
      ],
    );
    assert.equal((await once<ScheduledImportReport>(id)).status, 'duplicate');
    await writeFile(path, 'firm\nA\n');
    await triggerSchedule(client(), id);
    const runs = await runsOf(id, 3);
    assert.deepEqual(
      runs.map(({ status }) => status),
      ['failed', 'completed', 'completed'],
    );
    assert.match(runs[0]!.error!, /^MISSING_COLUMNS: Missing required columns: \{'plaintiff_name'\}/);
  });

  describe('of alerts', () => {
    const anomaly = (at: number, type: string, count: number, tenantId: string) => sql()`
      INSERT INTO public.import_anomalies (tenant_id, batch_id, row_index, anomaly_type, field, reason, correlation_id, created_at)
      SELECT ${tenantId}, 'b', n, ${type}, 'f', 'r', gen_random_uuid(), ${new Date(at)} FROM generate_series(1, ${count}::int) n`;

    it('look at the window of their time, however late they run, and escalate the third in a row', async () => {
      await sql()`TRUNCATE public.import_anomalies`;
      const t = Math.floor(Date.now() / HOUR) * HOUR - 40 * HOUR;
      for (const [hour, type, count] of [
        [0, 'UNKNOWN_DELIVERY_PARTNER', 4],
        [1, 'UNKNOWN_DELIVERY_PARTNER', 5],
        [2, 'UNKNOWN_RM', 2],
        [3, 'UNKNOWN_DELIVERY_PARTNER', 9],
      ] as const) {
        await anomaly(t + hour * HOUR + 1, type, count, 'A');
      }
      const id = await add(alertsSchedule(config, 60));
      await backfillSchedule(client(), id, new Date(t + HOUR - 1), new Date(t + 5 * HOUR + 1));
      await runsOf(id, 5);
      received.sort((a, b) => (a.window.since < b.window.since ? -1 : 1));
      assert.deepEqual(
        received.map(({ window, level, total, reasons }) => [
          (Date.parse(window.since) - t) / HOUR,
          level,
          total,
          reasons.map(({ rule }) => rule),
        ]),
        [
          [1, 'alert', 5, ['ANOMALIES']],
          [2, 'alert', 2, ['MAPPING_ERRORS']],
          [3, 'escalation', 9, ['ANOMALIES', 'CONSECUTIVE_WINDOWS']],
        ],
      );
      assert.deepEqual([received[0]!.by_tenant, received[0]!.by_type], [{ A: 5 }, { UNKNOWN_DELIVERY_PARTNER: 5 }]);
      assert.equal(new Set(received.map(({ id: key }) => key)).size, 3);
    });

    it('end at once at a receiver that refuses them, and say the next step', async () => {
      const t = Math.floor(Date.now() / HOUR) * HOUR - 60 * HOUR;
      await anomaly(t + 1, 'UNKNOWN_RM', 2, 'A');
      const id = await add(alertsSchedule(config, 60));
      const before = received.length;
      const ended = (await describeSchedule(client(), id)).runs.length;
      hookAnswers = 410;
      try {
        await backfillSchedule(client(), id, new Date(t + HOUR - 1), new Date(t + HOUR + 1));
        const [{ status, error, next_step: step }] = (await runsOf(id, ended + 1)) as [ScheduleRun];
        assert.deepEqual([status, received.length - before], ['failed', 1]);
        assert.match(error!, /^WEBHOOK_FAILED: The webhook at 127.0.0.1 answers 410$/);
        assert.match(step!, /^Check the address in ANOMALIES_ALERT_WEBHOOK/);
      } finally {
        hookAnswers = 204;
      }
    });

    it('have windows as long as the time between them', async () => {
      const id = await add(alertsSchedule(config, 60));
      await setTimes(client(), id, { everyMinutes: 120 });
      const { when, what } = await describeSchedule(client(), id);
      assert.deepEqual([when, what], ['every 2 h', 'alerts about anomalies of the last 2 h']);
    });
  });

  it('of retention delete what is older than they say', async () => {
    await sql()`TRUNCATE public.import_anomalies, public.staging_imports CASCADE`;
    await sql()`INSERT INTO public.import_anomalies (tenant_id, batch_id, row_index, anomaly_type, field, reason, correlation_id, created_at)
      SELECT 'A', 'b', 1, 'UNKNOWN_DS', 'f', 'r', gen_random_uuid(), now() - n * interval '1 day' FROM generate_series(70, 79) n`;
    const id = await add(
      retentionSchedule(config, { at: '03:10', timeZone: 'UTC' }, { importsDays: 45, anomaliesDays: 75 }),
    );
    assert.equal(id, 'imports-anomalies-retention');
    assert.deepEqual(await once(id), { staging_imports: 0, import_anomalies: 5 });
    assert.equal((await describeSchedule(client(), id)).next[0]!.local.slice(14), ' 03:10 +0000');
  });

  describe('are', () => {
    it('refused a second time, replaced when that is wanted, and keep their pause', async () => {
      const definition = push(tenant(), '/srv/one');
      const id = await add(definition);
      await assert.rejects(addSchedule(client(), definition), { code: 'USAGE' });
      await pauseSchedule(client(), id, 'their export is broken');
      await addSchedule(
        client(),
        {
          ...definition,
          input: { ...definition.input, from: '/srv/two' } as Definition['input'],
          times: { at: '18:30', timeZone: 'Europe/Berlin' },
        },
        true,
      );
      const view = await describeSchedule(client(), id);
      assert.deepEqual(
        [view.what, view.when, view.paused, view.note],
        [`projects of ${id.slice(9)} from /srv/two`, 'daily at 18:30 Europe/Berlin', true, 'their export is broken'],
      );
      await resumeSchedule(client(), id, 'mended');
      assert.deepEqual(
        [(await describeSchedule(client(), id)).paused, (await describeSchedule(client(), id)).note],
        [false, 'mended'],
      );
    });

    it('broken for who has another database or other objects, until they are told to work there', async () => {
      const definition = push(tenant(), '/srv/one');
      const objects = { id: 'a', name: '/srv/objects' };
      const there = { target: 'postgres at elsewhere/app', databaseId: 'f'.repeat(32), objects };
      const id = await add({ ...definition, input: { ...definition.input, ...there } });
      const seenBy = async (own: object) => (await describeSchedule(client(), id, 0, own)).broken;
      assert.equal(await seenBy({}), null);
      assert.equal(await seenBy(there), null);
      assert.match((await seenBy({ databaseId: 'another' }))!, /another database: postgres at elsewhere\/app$/);
      assert.match(
        (await seenBy({ ...there, objects: { ...objects, id: 'b' } }))!,
        /other objects than these: \/srv\/o/,
      );
      await triggerSchedule(client(), id);
      const [run] = await runsOf(id, 1);
      assert.match(run!.error!, /^DATABASE_MISMATCH: The command is for postgres at elsewhere\/app, this worker for/);
      const ordered: unknown[] = [];
      const place = { databaseId: 'another', target: 'postgres at here/app' };
      await moveSchedule(client(), id, place, async ({ input }) => void ordered.push((input as { from: string }).from));
      assert.deepEqual([await seenBy(place), ordered], [null, ['/srv/one']]);
    });

    it('given other times without losing what they do, and the overlap and catch-up that are documented', async () => {
      const id = await add(push(tenant(), '/srv/one'));
      const before = await describeSchedule(client(), id);
      await setTimes(client(), id, { at: '06:15', timeZone: 'Australia/Darwin' });
      const after = await describeSchedule(client(), id);
      assert.deepEqual([after.what, after.when], [before.what, 'daily at 06:15 Australia/Darwin']);
      assert.match(after.next[0]!.local, /^\w{3} \d{4}-\d\d-\d\d 06:15 \+0930$/);
      assert.deepEqual([after.overlap, after.catchup_hours, after.paused], ['BUFFER_ONE', 6, false]);
      const [input] = (await client().schedule.getHandle(id).describe()).action.args as [{ timeZone: string }];
      assert.equal(input.timeZone, 'Australia/Darwin');
    });

    it('listed as they are when somebody touched them by hand: what differs, what is broken; nothing is overwritten', async () => {
      const [byHand, emptied] = [await add(push(tenant(), '/srv/one')), await add(push(tenant(), '/srv/two'))];
      const { schedule } = client();
      await schedule.getHandle(byHand).update((before) => ({
        ...before,
        spec: {
          calendars: [
            { hour: 17, minute: 0, dayOfWeek: { start: 'MONDAY', end: 'FRIDAY' } },
            { hour: 6, minute: 30, dayOfMonth: 1 },
          ],
        },
        policies: { ...before.policies, overlap: 'SKIP', catchupWindow: 8760 * HOUR },
      }));
      await schedule.getHandle(emptied).update((before) => ({ ...before, action: { ...before.action, args: [] } }));
      const usual = await add(push(tenant(), '/srv/three'));
      const listed = async () =>
        (await listSchedules(client(), config.taskQueue)).filter(({ id }) => [byHand, emptied, usual].includes(id));
      while ((await listed()).length < 3) await sleep(100); // Temporal's list lags behind
      const views = new Map((await listed()).map((view) => [view.id, view]));
      assert.deepEqual(
        [views.get(byHand)!.when, views.get(byHand)!.differs, views.get(byHand)!.broken],
        [
          'at times of its own',
          [
            'its times are its own',
            'overlaps: SKIP, usually BUFFER_ONE',
            'missed times: 8760 h are made up for, usually 6 h',
          ],
          null,
        ],
      );
      assert.deepEqual([views.get(usual)!.differs, views.get(usual)!.broken], [[], null]);
      assert.equal(views.get(emptied)!.broken, 'its input is missing');
      assert.match((await describeSchedule(client(), emptied)).what, /input is missing/);
      await assert.rejects(setTimes(client(), emptied, { at: '06:15', timeZone: ADELAIDE }), {
        code: 'USAGE',
        remedy: /--replace/,
      });
      for (const days of [
        { dayOfWeek: 'MONDAY' },
        { dayOfMonth: 1 },
        { month: 'MAY' },
        { second: 30 },
        { hour: { start: 6, end: 9 } },
      ] as const) {
        await schedule
          .getHandle(byHand)
          .update((before) => ({ ...before, spec: { calendars: [{ hour: 17, minute: 0, ...days }] } }));
        assert.equal((await describeSchedule(client(), byHand)).when, 'at times of its own', JSON.stringify(days));
      }
    });

    it("each deployment's own where several use one namespace", async () => {
      const daily = { at: '03:10', timeZone: 'UTC' };
      const days = { importsDays: 60, anomaliesDays: 90 };
      const definition = { ...retentionSchedule(config, daily, days), id: `r-${tenant()}` };
      const theirs = { ...definition, taskQueue: `other-${tenant()}` };
      added.add(theirs.id);
      await addSchedule(client(), theirs);
      const listed = async (taskQueue: string) =>
        (await listSchedules(client(), taskQueue)).some(({ id }) => id === theirs.id);
      while (!(await listed(theirs.taskQueue))) await sleep(100); // Temporal's list lags behind
      assert.equal(await listed(config.taskQueue), false);
      for (const replace of [false, true])
        await assert.rejects(addSchedule(client(), definition, replace), {
          code: 'USAGE',
          message: new RegExp(`another deployment's: of task queue '${theirs.taskQueue}'`),
        });
      await assert.rejects(requireOwn(client(), theirs.id, config.taskQueue), { code: 'USAGE', remedy: /namespace/ });
      await requireOwn(client(), theirs.id, theirs.taskQueue);
      const input = await pushInput(config, { tenantId: tenant(), path: await gateways.place.file(csv('A')) });
      const { workflowId } = (await startPush(client(), { ...input, taskQueue: theirs.taskQueue })).handle;
      const pushed = async (taskQueue: string) =>
        (await listPushes(client(), taskQueue, [input.tenantId], 5)).map((line) => line.workflowId);
      while (!(await pushed(theirs.taskQueue)).includes(workflowId)) await sleep(100);
      assert.deepEqual(await pushed(config.taskQueue), []);
      await client().workflow.getHandle(workflowId).terminate();
    });

    it('listed with their next times, and gone when they are removed', async () => {
      const id = await add(push(tenant(), '/srv/one'));
      const listed = async () => (await listSchedules(client(), config.taskQueue)).find((view) => view.id === id);
      while (!(await listed())) await sleep(100); // Temporal's list lags behind
      const view = await listed();
      assert.ok(view!.next.length >= 5 && view!.next.every(({ local }) => local.includes(' 17:00 +')));
      await removeSchedule(client(), id);
      for (const call of [
        () => removeSchedule(client(), id),
        () => triggerSchedule(client(), id),
        () => describeSchedule(client(), id),
        () => setTimes(client(), id, { everyMinutes: 5 }),
      ]) {
        await assert.rejects(call, { code: 'SCHEDULE_NOT_FOUND' });
      }
      while (await listed()) await sleep(100);
    });
  });

  describe('are heard of', () => {
    const entries = () => notices.flatMap((notice) => notice.entries);

    it('when their work fails: once for what is alike, with the next step, and without names of files', async () => {
      const path = await gateways.place.file('firm\nA\n');
      const id = await add(
        importSchedule(config, {
          request: { kind: 'plaintiffs', path, mode: 'commit', sourceSystem: tenant() },
          times: { everyMinutes: 60 },
        }),
      );
      await once(id);
      const told = () => entries().filter(({ schedule }) => schedule === id);
      while (told().length === 0) await sleep(200);
      assert.deepEqual(
        told().map(({ event, what, kind, code, count }) => [event, what, kind, code, count]),
        [['failed', 'import', 'plaintiffs', 'MISSING_COLUMNS', 1]],
      );
      assert.match(told()[0]!.next_step, new RegExp(`^Rename the header .* See: intake schedule show ${id}$`));
      // Children are not told of beside their parents, and each group is told once.
      assert.deepEqual(
        entries().filter(({ what, schedule }) => what === 'import' && schedule === null),
        [],
      );
      assert.equal(new Set(notices.map((notice) => notice.id)).size, notices.length);
      assert.doesNotMatch(JSON.stringify(notices), /\.csv|\/tmp/);
    });

    it('when nothing began at their time', async () => {
      const id = 'never-served';
      added.add(id);
      await client().schedule.create({
        scheduleId: id,
        spec: { intervals: [{ every: '1 s' }] },
        action: { type: 'startWorkflow', workflowType: 'retention', taskQueue: 'nobody', args: [{}] },
        policies: { overlap: 'SKIP' },
      });
      let view = await describeSchedule(client(), id);
      for (; !view.missing; view = await describeSchedule(client(), id)) await sleep(200);
      await noticeMissed({ client: client(), taskQueue: config.taskQueue }, [view]);
      await noticeMissed({ client: client(), taskQueue: config.taskQueue }, [view]);
      const told = () => entries().filter(({ schedule }) => schedule === id);
      while (told().length === 0) await sleep(100);
      assert.deepEqual(
        told().map(({ event, what, count }) => [event, what, count]),
        [['missed', 'retention', view.missed + view.skipped]],
      );
    });
  });
});
