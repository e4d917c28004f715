/** How far the running phase is within its activities: what they last said in heartbeats, and what keeps one of them waiting. */
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { ImportReport, PhaseName } from '../../messages/imports.ts';

export interface ActivityProgress {
  readonly phase: PhaseName;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'parts' | 'files' | 'images';
  /** Why an activity is tried again, if one is. */
  readonly waiting?: { readonly code: string; readonly message: string };
}

/** The phases whose activities tell: of a file one activity, of a directory one a slice. */
const TELLING: readonly Pick<ActivityProgress, 'phase' | 'unit'>[] = [
  { phase: 'hash', unit: 'bytes' },
  { phase: 'upload', unit: 'parts' },
  { phase: 'planning', unit: 'files' },
  { phase: 'sha256', unit: 'images' }, // alone in a dry run, else while images are uploaded, which tells more
  { phase: 'import', unit: 'files' },
];
const ACTIVITIES: Readonly<Record<string, PhaseName>> = {
  hash: 'hash',
  upload: 'upload',
  planTree: 'planning',
  hashSlice: 'sha256',
  uploadSlice: 'upload',
  stageSlice: 'import',
};

/** Of a phase that tells while it runs, else undefined. */
export async function activityProgress(
  handle: WorkflowHandle,
  { phases, directory }: ImportReport,
): Promise<ActivityProgress | undefined> {
  const telling = TELLING.find(({ phase }) => phases[phase]?.status === 'running');
  const state = telling && phases[telling.phase];
  if (!state) return undefined;
  try {
    const { raw } = await handle.describe();
    const pending = (raw.pendingActivities ?? []).filter(
      ({ activityType }) => ACTIVITIES[activityType?.name ?? ''] === telling.phase,
    );
    let done = 0;
    let total = 0;
    for (const { heartbeatDetails } of pending) {
      const payload = heartbeatDetails?.payloads?.[0];
      const said = payload && defaultPayloadConverter.fromPayload<{ done?: number; total?: number } | null>(payload);
      done += said?.done ?? 0;
      total += said?.total ?? 0;
    }
    const failure = pending.find(({ lastFailure }) => lastFailure)?.lastFailure;
    const waiting = failure
      ? { waiting: { code: failure.applicationFailureInfo?.type ?? 'TIMEOUT', message: failure.message ?? '' } }
      : {};
    // What slices have ended stands in the report.
    const all = state.total > 1 ? { done: state.done + done, total: state.total } : { done, total };
    if (all.total === 0 && !failure) return undefined;
    return { ...telling, ...(directory && telling.phase === 'upload' ? { unit: 'images' } : {}), ...all, ...waiting };
  } catch {
    return undefined; // the display goes on without it
  }
}
