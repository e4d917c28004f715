/** The pages of one run: what it is, how it goes on, its rejects, and what may be done with it. */
import type { Client } from '@temporalio/client';
import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Connections } from '../../runs/connections.ts';
import { Problem } from '../problem.ts';
import type { GatewayEnv } from '../request.ts';
import { act, rejectsOf } from './actions.ts';
import type { createStreams } from '../limits/streams.ts';
import { sendLive } from './live.ts';
import { shareOf } from './phases.ts';
import { workflowState } from './report.ts';
import type { Me, RunView } from '../userRows.ts';
import { progress, runPage } from './runPage.ts';
import { workflowUrl } from './schedulesPage.ts';
import { requireOwnOrigin, type Visitor } from './visitor.ts';
import type { Html } from './words.ts';

/** Of people who are signed in; others are sent to sign in. */
export type SignedIn = (
  handler: (c: Context<GatewayEnv>, visitor: Visitor) => Response | Promise<Response>,
) => (c: Context<GatewayEnv>) => Promise<Response>;

/** A page in the frame of all pages; `at` is its place among the links of the head. */
export type Framed = (
  c: Context,
  visitor: Visitor,
  title: string,
  at: string,
  me: Me,
  body: Html,
) => Response | Promise<Response>;

interface RunPages {
  readonly client: Client;
  readonly connections: Connections;
  readonly temporalUi: { readonly url: string; readonly namespace: string } | undefined;
  readonly streams: ReturnType<typeof createStreams>;
  readonly stopping: () => boolean;
  readonly signedIn: SignedIn;
  readonly framed: Framed;
}

const RUN = '/runs/:id';
export const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const LOOK_MS = 1_000;
/** So long a stream goes on at most after its role was taken. */
const RIGHTS_MS = 10_000;
/** Of a form; ours have a few short fields. */
export const FORM_BYTES = 16 * 1024;

const noSuchRun = (): Problem => new Problem('NOT_FOUND', 'There is no such run');

function runId(c: Context): string {
  const { id = '' } = c.req.param() as { id?: string };
  if (!UUID.test(id)) throw noSuchRun();
  return id;
}

async function runView(c: Context, visitor: Visitor): Promise<RunView> {
  const view = await visitor.call('fn_dashboard_run', { p_run_id: runId(c) });
  if (!view.run) throw noSuchRun();
  return view;
}

export function addRunPages(
  app: Hono<GatewayEnv>,
  { client, connections, temporalUi, streams, stopping, signedIn, framed }: RunPages,
): void {
  app.get(
    RUN,
    signedIn(async (c, visitor) => {
      const view = await runView(c, visitor);
      const { run, me } = view;
      const workflow = await workflowState(client, run);
      const url =
        temporalUi && run.workflow_id?.startsWith('import/')
          ? workflowUrl(temporalUi, run.workflow_id, run.execution)
          : undefined;
      return framed(
        c,
        visitor,
        run.filename,
        '/runs',
        me,
        runPage({ ...view, workflow, temporalUi: url, done: c.req.query('done') }),
      );
    }),
  );
  app.get(
    `${RUN}/live`,
    signedIn(async (c, visitor) => {
      const now = { run: (await runView(c, visitor)).run, at: Date.now() };
      return sendLive(c, {
        everyMs: LOOK_MS,
        stopping,
        enter: () => streams(visitor.id),
        look: async () => {
          // Whether they may still see it is the database's to say.
          if (Date.now() - now.at > RIGHTS_MS)
            Object.assign(now, { run: (await runView(c, visitor)).run, at: Date.now() });
          const { run } = now;
          const workflow = await workflowState(client, run);
          const { running, report } = workflow;
          const { share, words } = shareOf(report);
          return {
            html: progress(run, workflow),
            words: running ? `${words.split(' ')[0]}, ${Math.floor(share / 25) * 25} percent` : 'Over',
            over: running === false,
          };
        },
      });
    }),
  );
  app.get(
    `${RUN}/rejects`,
    signedIn(async (c, visitor) => {
      const { name, body } = await rejectsOf(visitor, connections, runId(c));
      return c.body(body, 200, { 'content-type': 'text/csv', 'content-disposition': `attachment; filename="${name}"` });
    }),
  );
  for (const action of ['cancel', 'resume', 'rollback'] as const) {
    app.post(
      `${RUN}/${action}`,
      bodyLimit({ maxSize: FORM_BYTES }),
      signedIn(async (c, visitor) => {
        requireOwnOrigin(c);
        const { reason } = await c.req.parseBody();
        const id = runId(c);
        await act(visitor, connections, id, action, typeof reason === 'string' ? reason : '');
        return c.redirect(`/runs/${id}?done=${action}`, 303);
      }),
    );
  }
}
