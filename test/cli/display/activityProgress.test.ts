import { strict as assert } from 'node:assert';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { activityProgress } from '../../../src/cli/display/activityProgress.ts';
import { renderProgress } from '../../../src/cli/display/progressBox.ts';
import type { DirectoryInput, DirectoryReport } from '../../../src/messages/directory.ts';
import { emptyReport, type ImportReport, type PhaseName, type PhaseState } from '../../../src/messages/imports.ts';

interface Pending {
  readonly name: string;
  readonly said?: { readonly done: number; readonly total: number };
  readonly failed?: { readonly type: string; readonly message: string };
}

/** A workflow of which these activities are pending. */
const workflow = (...pending: Pending[]): WorkflowHandle =>
  ({
    describe: async () => ({
      raw: {
        pendingActivities: pending.map(({ name, said, failed }) => ({
          activityType: { name },
          ...(said ? { heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload(said)] } } : {}),
          ...(failed
            ? { lastFailure: { message: failed.message, applicationFailureInfo: { type: failed.type } } }
            : {}),
        })),
      },
    }),
  }) as unknown as WorkflowHandle;

const running = (done: number, total: number): PhaseState => ({
  status: 'running',
  startedAt: new Date(Date.now() - 10_000).toISOString(),
  done,
  total,
  failed: 0,
  skipped: 0,
});
const plan = { files: 2000, images: 1998 } as NonNullable<DirectoryReport['plan']>;
const reportOf = (name: PhaseName, state: PhaseState, more: Partial<DirectoryReport> = {}): ImportReport => {
  const directory = {
    tag: 'Aug',
    datasetId: 32,
    plan,
    batches: { completed: 0, failed: 0 },
    images: {},
    failed: 0,
    failedItems: [],
    ...more,
  } as unknown as DirectoryReport;
  return { ...emptyReport(new Date().toISOString()), phases: { [name]: state }, directory };
};
const input = {
  kind: 'search-results',
  mode: 'commit',
  backend: 'supabase',
  batchName: 'Aug',
  tag: 'Aug',
} as unknown as DirectoryInput;
const boxOf = async (report: ImportReport, handle: WorkflowHandle): Promise<string> =>
  renderProgress({
    report,
    activity: await activityProgress(handle, report),
    input,
    columns: 120,
    style: (_, text) => text,
  }).join('\n');

describe('the progress of a directory', () => {
  it('counts what running slices say beside those that ended', async () => {
    const report = reportOf('upload', running(1000, 1998));
    const handle = workflow(
      { name: 'uploadSlice', said: { done: 300, total: 500 } },
      { name: 'uploadSlice', said: { done: 20, total: 498 } },
      { name: 'other' },
    );
    assert.deepEqual(await activityProgress(handle, report), {
      phase: 'upload',
      unit: 'images',
      done: 1320,
      total: 1998,
    });
    assert.match(
      await boxOf(report, handle),
      /UPLOAD: █{13}░{7} {2}66% {2}1,320\/1,998 {2}13\d images\/s {2}ETA 0m 05s$/m,
    );
  });

  it('is planning in files, hashing in images, importing in files', async () => {
    for (const [name, activity, unit] of [
      ['planning', 'planTree', 'files'],
      ['sha256', 'hashSlice', 'images'],
      ['import', 'stageSlice', 'files'],
    ] as const) {
      const report = reportOf(name, running(0, name === 'planning' ? 1 : 2000));
      const box = await boxOf(report, workflow({ name: activity, said: { done: 500, total: 2000 } }));
      assert.match(box, new RegExp(`${name.toUpperCase()}: █{5}░{15}  25%  500/2,000  [45]\\d ${unit}/s  ETA`), box);
    }
  });

  it('shows what ended when no slice says anything', async () => {
    const report = reportOf('sha256', running(500, 1998));
    assert.match(await boxOf(report, workflow()), /SHA256: █{5}░{15} {2}25% {2}500\/1,998 /);
    assert.match(await boxOf(reportOf('planning', running(0, 1)), workflow()), /PLANNING: running \(0m 10s\)/);
  });

  it('says why an activity is tried again, and which items failed', async () => {
    const items = ['IMAGE_MISSING', 'BAD_DATE', 'IMAGE_MISSING'].map((code) => ({
      item: 'FL/A',
      kind: 'image' as const,
      code,
      message: '',
    }));
    const box = await boxOf(
      reportOf('upload', running(0, 1998), { failed: 60, failedItems: items }),
      workflow({
        name: 'uploadSlice',
        failed: { type: 'STORAGE_UNAVAILABLE', message: 'Image upload failed: it is away' },
      }),
    );
    assert.match(
      box,
      /^❌ Failed Items: 60 \(IMAGE_MISSING 2, BAD_DATE 1, \.\.\.\)\n⚠️ {2}Tried again: STORAGE_UNAVAILABLE Image upload failed: it is away$/m,
    );
    assert.match(box, /^📊 Import Progress: Aug \(Dataset ID: 32\)$/m);
    assert.match(box, /^📁 Total Files: 2,000 {2}\| {2}Images: 1,998$/m);
  });

  it('goes on without it when Temporal does not answer', async () => {
    const away = { describe: () => Promise.reject(new Error('away')) } as unknown as WorkflowHandle;
    assert.equal(await activityProgress(away, reportOf('upload', running(0, 10))), undefined);
    assert.equal(
      await activityProgress(
        workflow({ name: 'uploadSlice', said: { done: 1, total: 2 } }),
        reportOf('claim', running(0, 1)),
      ),
      undefined,
    );
  });
});
