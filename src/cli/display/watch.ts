/** Shows a running import until it ends: a display on a terminal, else a line for each phase. */
import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { importProgress, importResult } from '../../imports/follow.ts';
import type { AnyInput, ImportReport } from '../../messages/imports.ts';
import { IntakeError } from '../../errors.ts';
import { leftBehind } from '../../runs/condition.ts';
import type { Connections } from '../../runs/connections.ts';
import { standstillOf } from '../../temporal/standstill.ts';
import { activityProgress } from './activityProgress.ts';
import { createDebugLog } from './debugLog.ts';
import { createDisplay } from './liveDisplay.ts';
import type { Output } from '../output.ts';
import { createPhaseLines } from './phaseLines.ts';
import type { View } from './view.ts';

/** A short import is over before it is worth asking. */
const FIRST_LOOK_MS = 300;
const WORRY_MS = 5000;
const LOOK_MS = { live: 250, plain: 1000 };

export interface WatchOptions {
  readonly out: Output;
  readonly input: AnyInput;
  readonly debugLog?: boolean;
  readonly workerComesUp?: () => boolean;
  /** Where it is known. */
  readonly runId?: string | undefined;
}

/**
 * The same of a run: one whose workflow was ended from outside, or is gone, is what `intake runs` says of it.
 * @throws IntakeError ORPHANED, RUN_NOT_FOUND.
 */
export async function watchToEnd(
  connections: Connections,
  handle: WorkflowHandle,
  options: WatchOptions,
): Promise<ImportReport> {
  try {
    const report = await watchImport(handle, options);
    const orphan = report.status === 'failed' && (await leftBehind(connections, handle.workflowId));
    if (orphan) throw orphan;
    return report;
  } catch (error) {
    if (!(error instanceof IntakeError) || error.code !== 'RUN_NOT_FOUND') throw error;
    throw (await leftBehind(connections, handle.workflowId)) ?? error;
  }
}

async function watchImport(
  handle: WorkflowHandle,
  { out, input, debugLog = false, runId = 'ID', workerComesUp = () => false }: WatchOptions,
): Promise<ImportReport> {
  const over = new AbortController();
  const result = importResult(handle, () => out.note('Temporal does not answer; waiting for it')).finally(() =>
    over.abort(),
  );
  void worry();
  const silent = out.json || out.quiet;
  if (silent && !debugLog) return result;
  // Lines of a log would tear the live display apart.
  const shown = silent ? undefined : out.live && !debugLog ? createDisplay(out, input) : createPhaseLines(out);
  const view = debugLog ? createDebugLog(handle.workflowId, shown) : (shown as View);
  void look();
  try {
    const report = await result;
    over.abort();
    view.show(report, undefined);
    return report;
  } finally {
    over.abort();
    view.close();
  }

  /** Says once what keeps it from going on. */
  async function worry(): Promise<void> {
    for (let told = ''; ;) {
      await sleep(WORRY_MS, undefined, { ref: false });
      if (over.signal.aborted) return;
      const found = await standstillOf(handle).catch(() => undefined);
      if (!found || found.reason === told || over.signal.aborted) continue;
      if (found.reason === 'unserved' && workerComesUp()) continue;
      told = found.reason;
      out.note(
        `${found.message}. ${found.reason === 'failing' ? `Begin it again: intake resume ${runId} --restart; or end it: intake cancel ${runId}.` : 'Start one: intake worker.'}`,
      );
    }
  }

  async function look(): Promise<void> {
    await sleep(FIRST_LOOK_MS);
    while (!over.signal.aborted) {
      const report = await importProgress(handle);
      const activity = report && (await activityProgress(handle, report));
      if (report && !over.signal.aborted) view.show(report, activity);
      await sleep(out.live || debugLog ? LOOK_MS.live : LOOK_MS.plain, undefined, { ref: false });
    }
  }
}
