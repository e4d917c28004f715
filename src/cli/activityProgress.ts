/** How far a phase of a single activity is: what the activity last said in a heartbeat. */
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { ImportReport } from '../workflows/messages.ts';

export interface ActivityProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'parts';
}

/** Of phase hash or upload while it runs, else undefined. */
export async function activityProgress(handle: WorkflowHandle, { phases }: ImportReport): Promise<ActivityProgress | undefined> {
  const name = (['hash', 'upload'] as const).find((phase) => phases[phase]?.status === 'running');
  if (!name) return undefined;
  try {
    const { raw } = await handle.describe();
    const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === name);
    const payload = pending?.heartbeatDetails?.payloads?.[0];
    if (!payload) return undefined;
    const said = defaultPayloadConverter.fromPayload<{ done?: number; total?: number } | null>(payload);
    if (!said?.total) return undefined;
    return { done: said.done ?? 0, total: said.total, unit: name === 'hash' ? 'bytes' : 'parts' };
  } catch {
    return undefined; // the display goes on without it
  }
}
