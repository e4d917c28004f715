/** Looks at schedules and failures as long as a worker runs: for its metrics, and for the receiver of notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Metrics, ScheduleState } from '../observability/metrics.ts';
import { noticeFailures, noticeMissed } from './notices.ts';
import { listSchedules, type ScheduleView } from './view.ts';

export interface WatchOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** Whether somebody wants notices. */
  readonly notify: boolean;
  readonly metrics: Pick<Metrics, 'schedules'>;
  readonly log: Logger;
}

const LOOK_MS = 15_000;
/** Each schedule is asked for by itself: not so often. */
const LOOKS_A_LIST = 4;

/** @returns what ends it. */
export function watchSchedules({ client, taskQueue, notify, metrics, log }: WatchOptions): () => Promise<void> {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    let since: number | undefined;
    for (let look = 0; !over.signal.aborted; look++) {
      try {
        if (notify) since = await noticeFailures({ client, taskQueue }, since);
        if (look % LOOKS_A_LIST === 0) {
          const views = await listSchedules(client, taskQueue);
          metrics.schedules(views.map((view) => [view.workflow, stateOf(view)] as const));
          if (notify) await noticeMissed({ client, taskQueue }, views);
        }
      } catch (err) {
        log.debug({ err }, 'schedules could not be looked at'); // Temporal is away: the next look takes it in
      }
      await sleep(LOOK_MS, undefined, { signal: over.signal, ref: false }).catch(() => undefined);
    }
  };
  const ended = watch();
  return () => {
    over.abort();
    return ended;
  };
}

const BADLY: ReadonlySet<string> = new Set(['failed', 'timed_out', 'terminated']);

function stateOf({ paused, broken, missing, runs: [last] }: ScheduleView): ScheduleState {
  if (paused) return 'paused';
  if (missing) return 'missed';
  return broken !== null || (last && BADLY.has(last.status)) ? 'failed' : 'active';
}
