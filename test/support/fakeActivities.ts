/** Workflows with faked activities, for what a stack cannot provoke exactly; a worker on Temporal's dev server, and nothing else. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../src/activities/index.ts';
import type { DirectoryInput, SliceAnswer, TreePlan } from '../../src/messages/directory.ts';
import type { Claim, Content, ImportInput, Plan } from '../../src/messages/imports.ts';
import type { PartAnswer } from '../../src/messages/partitions.ts';
import { POLICIES } from '../../src/messages/policies.ts';
import type { RunInput } from '../../src/messages/run.ts';

/** Any of them; what a test does not give does what a good day does. */
export type Fakes = { [name in keyof Activities]?: (...args: Parameters<Activities[name]>) => unknown };

export interface FakeWorker {
  /** Names of the activities that were called since the last `fake`, in their order. */
  readonly calls: readonly string[];
  fake(fakes?: Fakes): void;
  stop(): Promise<void>;
}

/** What fails for good with a code. */
export const refuse = (code: string): never => {
  throw ApplicationFailure.create({ type: code, message: `refused: ${code}`, nonRetryable: true });
};

const CHUNKS = 3;
const plan: Plan = {
  encoding: 'utf-8',
  encodingCertain: true,
  delimiter: ',',
  newline: 'lf',
  bomBytes: 0,
  columns: 1,
  mapped: ['plaintiff_name'],
  resolves: true,
};
const content: Content = {
  layout: 'layout',
  encoding: 'utf-8',
  chunks: CHUNKS,
  rows: 30,
  bytes: 300,
  storagePath: 'imports/layout',
};
const claim: Claim = { status: 'claimed', runId: 'run', lease: 1, partitions: 2 };
const part: PartAnswer = { inserted: 15, updated: 0, skipped: 0, stageLost: false };
const slice: SliceAnswer = {
  done: 10,
  skipped: 0,
  failed: 0,
  failures: 0,
  failedItems: [],
  rows: 10,
  errored: 0,
  codes: {},
  batches: 1,
};
const tree: TreePlan = {
  layout: 'layout',
  treeHash: 'hash',
  files: 30,
  licences: 30,
  images: 30,
  slices: CHUNKS,
  batches: CHUNKS,
  batchSize: 10,
  unhashed: 30,
  unstored: 30,
  duplicates: 0,
  missingImages: 0,
  orphanImages: 0,
  unchanged: 0,
};
const counts = { fetched: 30, inserted: 30, updated: 0, skipped: 0, errored: 0 };
const GOOD_DAY: Fakes = {
  plan: () => plan,
  hash: () => content,
  claim: () => claim,
  findRun: () => ({ completedRunId: null }),
  upload: () => ({ parts: CHUNKS, skipped: 0 }),
  parse: () => ({ rows: 10, errored: 0, codes: {} }),
  resolve: () => ({ rows: 30, people: 30, stageLost: false }),
  upsertPartition: () => part,
  finalize: () => counts,
  hasAttributes: () => true,
  reconcile: () => ({ completedAt: '2026-11-26T12:00:00.000Z' }),
  planTree: () => ({ plan: tree, failures: 0, failedItems: [] }),
  claimDirectory: () => ({ claim, datasetId: 1 }),
  hashSlice: () => slice,
  uploadSlice: () => ({ ...slice, hashed: { done: 10, skipped: 0, failed: 0 } }),
  stageSlice: () => slice,
};

export async function startFakeWorker(
  address: string,
  { taskQueue, codePath }: { readonly taskQueue: string; readonly codePath: string },
): Promise<FakeWorker> {
  const connection = await NativeConnection.connect({ address });
  let fakes: Fakes = GOOD_DAY;
  const calls: string[] = [];
  const activity =
    (name: keyof Activities) =>
    async (...args: never[]): Promise<unknown> => {
      calls.push(name);
      return (fakes[name] as ((...args: never[]) => unknown) | undefined)?.(...args);
    };
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath },
    sinks: { exporter: { export: { fn: () => undefined } } }, // of a bundle with traces
    activities: Object.fromEntries(
      (Object.keys(POLICIES) as (keyof Activities)[]).map((name) => [name, activity(name)]),
    ),
    maxHeartbeatThrottleInterval: '100 ms', // who is cancelled hears of it with a heartbeat
  });
  const done = worker.run();
  return {
    calls,
    fake(given = {}) {
      fakes = { ...GOOD_DAY, ...given };
      calls.length = 0;
    },
    async stop() {
      worker.shutdown();
      await done;
      await connection.close();
    },
  };
}

const runInput = (taskQueue: string): RunInput => ({
  kind: 'plaintiffs',
  mode: 'commit',
  backend: 'postgres',
  path: '/file',
  filename: 'file',
  fileQueue: taskQueue,
  taskQueue,
  sourceSystem: 'csv',
  batchId: randomUUID(),
  batchName: 'batch',
  sourceReference: 'batch',
  tuning: { chunkBytes: 1, window: 3, partitionRows: 15, sharedObjects: true },
});

export const fileInput = (taskQueue: string, changed: Partial<ImportInput> = {}): ImportInput => ({
  ...runInput(taskQueue),
  fileHash: randomUUID(),
  bytes: 300,
  options: { map: {}, dateOrder: 'mdy', skipJobs: false },
  ...changed,
});

export const directoryInput = (taskQueue: string, changed: Partial<DirectoryInput> = {}): DirectoryInput => ({
  ...runInput(taskQueue),
  kind: 'search-results',
  tag: 'tag',
  delta: false,
  verifyWrites: false,
  batchSize: 10,
  maxWorkers: 1,
  maxConcurrentUploads: 1,
  compression: 'none',
  ...changed,
});

/** The status that operators filter by. */
export async function statusOf(client: Client, workflowId: string): Promise<unknown> {
  const { searchAttributes } = await client.workflow.getHandle(workflowId).describe();
  return searchAttributes['IntakeStatus']?.[0];
}
