/** Shows a running push until it ends: a line that is redrawn on a terminal, else a line for each batch. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { pushProgress, pushResult } from '../../push/push.ts';
import type { PushReport } from '../../messages/push.ts';
import { thousands } from './importSummary.ts';
import type { Output } from '../output.ts';

const LOOK_MS = 500;

export async function watchPush(handle: WorkflowHandle, out: Output): Promise<PushReport> {
  const result = pushResult(handle, () => out.note('Temporal does not answer; waiting for it'));
  if (out.json || out.quiet) return result;
  const over = new AbortController();
  const told = new Set<string>();
  void look();
  try {
    return await result;
  } finally {
    over.abort();
    if (out.live) process.stderr.write('\r\x1b[2K');
  }

  async function look(): Promise<void> {
    while (!over.signal.aborted) {
      const [report, waiting] = await Promise.all([pushProgress(handle), waitingOf(handle)]);
      if (over.signal.aborted) return;
      if (waiting) say(waiting);
      if (report && report.total > 0)
        say(`${report.done} of ${report.total} batches posted, ${thousands(report.posted)} rows`, true);
      await sleep(LOOK_MS, undefined, { ref: false });
    }
  }

  function say(line: string, redrawn = false): void {
    if (redrawn && out.live) process.stderr.write(`\r\x1b[2K${out.line(line)}`);
    else if (!told.has(line)) out.note(line);
    told.add(line);
  }
}

/** Why a batch is tried again, if one is. */
async function waitingOf(handle: WorkflowHandle): Promise<string | undefined> {
  const { raw } = await handle.describe().catch(() => ({ raw: undefined }));
  const pending = raw?.pendingActivities?.find(({ lastFailure }) => lastFailure);
  const code = pending?.lastFailure?.applicationFailureInfo?.type ?? 'TIMEOUT';
  return (
    pending &&
    `${code}: ${pending.lastFailure?.message ?? ''}; attempt ${pending.attempt} of ${pending.maximumAttempts || 'any number'}`
  );
}
