/**
 * gateway/dashboard/: The pages: one call to the database each, with the rights of who looks.
 *
 * The operators' dashboard: pages for signed-in people, at `/` of the gateway.
 */
import type { Client } from '@temporalio/client';
import { Hono, type ErrorHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import type { Logger } from 'pino';
import type { Backends } from '../../database/backends/open.ts';
import type { Config } from '../../config.ts';
import type { Connections } from '../../runs/connections.ts';
import { kindNamed, KINDS } from '../../kinds/index.ts';
import { asksForPage, type GatewayEnv } from '../request.ts';
import { CURSOR } from '../routes/anomalies.ts';
import { anomaliesPage } from './anomaliesPage.ts';
import { batchesPage, visiblePushes } from './batchesPage.ts';
import { serveAsset } from './assets.ts';
import { answerError } from './faults.ts';
import { page, show } from './layout.ts';
import { createStreams } from '../limits/streams.ts';
import { sendLive } from './live.ts';
import { overviewPage, runningList, type Running } from './overviewPage.ts';
import { runningReport } from './report.ts';
import type { RunLine } from '../userRows.ts';
import { addRunPages, FORM_BYTES, UUID, type Framed, type SignedIn } from './runPages.ts';
import { runsPage } from './runsPage.ts';
import { schedulesPage, visibleSchedules } from './schedulesPage.ts';
import { createSessions } from './session.ts';
import { addSignIn } from './signIn.ts';
import { targetText } from '../../settings/target.ts';
import { visitorOf } from './visitor.ts';
import { plural } from './words.ts';

export interface DashboardOptions {
  readonly config: Config;
  readonly client: Client;
  readonly backends: Backends;
  readonly stopping: () => boolean;
  readonly log: Logger;
}

const PAGE = 25;
const LOOK_MS = 3_000;
/** As the links to the next page have it. */
const TIME = /^\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d(?::?\d\d)?)$/;
/** Of an answer, likewise. */
const PLACE = /^\d{1,15}$/;

/** Pages for signed-in people, and errors as pages. */
export interface Dashboard {
  readonly routes: Hono<GatewayEnv>;
  readonly fault: ErrorHandler<GatewayEnv>;
}

export function createDashboard({ config, client, backends, stopping, log }: DashboardOptions): Dashboard {
  const sessions = createSessions(config.supabase);
  const streams = createStreams();
  const connections: Connections = {
    temporal: async () => client,
    backend: async (name = config.backend) => backends.get(name),
  };
  const temporalUi = config.temporalUi
    ? { url: config.temporalUi, namespace: config.temporal?.namespace ?? 'default' }
    : undefined;
  const signedIn: SignedIn = (handler) => async (c) => handler(c, await visitorOf(c, sessions, config.supabase));
  const framed: Framed = (c, { email }, title, at, me, body) =>
    show(c, page({ title, at, target: targetText(config), person: { email, me } }, body));
  const reports = (runs: readonly RunLine[]): Promise<Running> =>
    Promise.all(runs.map(async (run) => [run, await runningReport(client, run.workflow_id)] as const));

  const app = new Hono<GatewayEnv>();
  // What a browser loads; answers of the API are read by programs that may not ask for it.
  app.use(compress({ encoding: 'gzip', contentTypeFilter: /^(?:text\/(?:html|css|javascript)|image\/svg)/ }));
  const fault = answerError(log);
  app.onError(fault);
  app.get('/assets/:name', (c) => serveAsset(c) ?? c.notFound());
  addSignIn(app, sessions, bodyLimit({ maxSize: FORM_BYTES }));

  app.get(
    '/',
    signedIn(async (c, visitor) => {
      const overview = await visitor.call('fn_dashboard_overview', {});
      return framed(c, visitor, 'Overview', '/', overview.me, overviewPage(overview, await reports(overview.running)));
    }),
  );
  app.get(
    '/live',
    signedIn((c, visitor) => {
      let before: ReadonlySet<string> = new Set();
      return sendLive(c, {
        everyMs: LOOK_MS,
        stopping,
        enter: () => streams(visitor.id),
        look: async () => {
          const { runs } = await visitor.call('fn_dashboard_runs', { p_status: 'processing', p_limit: 10 });
          const now = new Set(runs.map(({ id }) => id));
          const over = [...before].some((id) => !now.has(id));
          before = now;
          return {
            html: runningList(await reports(runs)),
            words: runs.length === 0 ? 'No import is running' : `${plural(runs.length, 'import')} running`,
            over,
          };
        },
      });
    }),
  );
  app.get(
    '/runs',
    signedIn(async (c, visitor) => {
      const { kind = '', status = '', source = '', at, id = '' } = c.req.query();
      const known = KINDS.some(({ name }) => name === kind) ? kindNamed(kind) : undefined;
      const { me, runs } = await visitor.call('fn_dashboard_runs', {
        p_kinds: known ? [known.name, ...known.aliases] : null,
        p_status: status || null,
        p_source: source.trim() || null,
        ...(at && TIME.test(at) && !Number.isNaN(Date.parse(at)) && UUID.test(id)
          ? { p_before_at: at, p_before_id: id }
          : {}),
        p_limit: PAGE + 1,
      });
      const last = runs.length > PAGE ? runs[PAGE - 1] : undefined;
      const older =
        last && `/runs?${new URLSearchParams({ kind, status, source, at: last.created_at, id: last.id }).toString()}`;
      return framed(
        c,
        visitor,
        'Runs',
        '/runs',
        me,
        runsPage(runs.slice(0, PAGE), { kind, status, source }, { older, first: !at }),
      );
    }),
  );
  addRunPages(app, { client, connections, temporalUi, streams, stopping, signedIn, framed });
  const anomalies = signedIn(async (c, visitor) => {
    const { tenant = '', severity = '', type = '', after = '', find = '' } = c.req.query();
    const found = await visitor.call('fn_dashboard_anomalies', {
      p_tenant: tenant.trim() || null,
      p_severity: severity || null,
      p_type: type || null,
      p_after: CURSOR.test(after) ? after : null,
      p_find: find.trim() || null,
    });
    const filters = { tenant, severity, type, find };
    return framed(c, visitor, 'Anomalies', '/anomalies', found.me, anomaliesPage(found, filters, CURSOR.test(after)));
  });
  // The API has this address, too.
  app.get('/anomalies', (c, next) => (asksForPage(c) ? anomalies(c) : next()));
  app.get(
    '/batches',
    signedIn(async (c, visitor) => {
      const { find = '', before = '' } = c.req.query();
      const first = !PLACE.test(before);
      const { me, batches } = await visitor.call('fn_dashboard_batches', {
        p_find: find.trim() || null,
        p_before: first ? null : Number(before),
        p_limit: PAGE + 1,
      });
      const last = batches.length > PAGE ? batches[PAGE - 1] : undefined;
      const older = last && `/batches?${new URLSearchParams({ find, before: String(last.id) }).toString()}`;
      const shown = { batches: batches.slice(0, PAGE), find, older, first, ui: temporalUi, operates: me.operates };
      const body = batchesPage({ ...shown, pushes: await visiblePushes(client, config.taskQueue, me) });
      return framed(c, visitor, 'Batches and pushes', '/batches', me, body);
    }),
  );
  app.get(
    '/schedules',
    signedIn(async (c, visitor) => {
      const me = await visitor.call('fn_dashboard_me', {});
      return framed(
        c,
        visitor,
        'Schedules',
        '/schedules',
        me,
        schedulesPage(await visibleSchedules(client, config.taskQueue, me), temporalUi),
      );
    }),
  );
  return { routes: app, fault };
}
