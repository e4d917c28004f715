/**
 * Program: `node scripts/record-histories.ts [VERSION]` records how the workflows of this version behave, as histories that
 * later versions must replay (test/replay). Run it for a release; files of earlier releases stay.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { writeSearchTree } from '../bench/generators/searchTree.ts';
import packageJson from '../package.json' with { type: 'json' };
import { importResult } from '../src/imports/follow.ts';
import { startImport } from '../src/imports/start.ts';
import { createLogger } from '../src/observability/log.ts';
import { startGateway } from '../src/gateway/server.ts';
import { rowsChecksum, type JsonCells } from '../src/sources/projects/checksum.ts';
import { pushInput } from '../src/push/push.ts';
import { hostQueue } from '../src/temporal/queues.ts';
import { impatientBundle, startTestWorker } from '../test/support/worker.ts';
import { EVENTS_PER_EXECUTION } from '../src/workflows/policies.ts';
import type { MergeInput } from '../src/messages/merge.ts';
import type {
  AlertsInput,
  RetentionInput,
  ScheduledImportInput,
  ScheduledPushInput,
} from '../src/messages/schedules.ts';
import type { ImportInput } from '../src/messages/imports.ts';
import { historiesOf, openPlace, plaintiffsCsv } from '../test/support/imports.ts';
import { simplicityCsv } from '../test/support/judgmentsFile.ts';
import { createDatabase, sharedStack, stopSharedStack } from '../test/support/stack.ts';

const [version = packageJson.version] = process.argv.slice(2);
const folder = fileURLToPath(new URL(`../test/replay/histories/${version}/`, import.meta.url));
mkdirSync(folder, { recursive: true });

const { temporal } = await sharedStack();
const { databaseUrl } = await createDatabase();
const place = await openPlace({ temporal, databaseUrl });
const worker = await startTestWorker(place.config, { sliceFiles: () => 10, workflowBundle: impatientBundle() });

/** Stack traces name folders of this machine, and no replay reads them. */
function dropStackTraces(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if ('stackTrace' in value) value.stackTrace = '';
  Object.values(value).forEach(dropStackTraces);
}

async function save(name: string, handle: WorkflowHandle): Promise<void> {
  for (const [i, history] of (await historiesOf(place.client, handle)).entries()) {
    const file = `${folder}${name}${i ? `-${i + 1}` : ''}.binpb.gz`;
    dropStackTraces(history);
    writeFileSync(file, gzipSync(proto.temporal.api.history.v1.History.encode(history).finish()));
  }
}

async function record(name: string, input: ImportInput): Promise<void> {
  const handle = await startImport(place.client, input);
  await importResult(handle);
  await save(name, handle);
}

const parts = { chunkBytes: 4096, partitionRows: 40 };
const path = await place.file(plaintiffsCsv(120), 'plaintiffs.csv');
await record('dry-run', await place.input({ path, mode: 'dry-run' }, parts));
await record('commit', await place.input({ path }, parts));
await record('duplicate', await place.input({ path }, parts));
await record(
  'too-many-errors',
  await place.input({ path, batchId: 'strict', options: { maxErrors: { rows: 0 } } }, parts),
);
await record('missing-column', await place.input({ path: await place.file('firm\nA\n', 'wrong.csv') }));

const leads = await place.file(simplicityCsv(120), 'leads.csv');
const dryRun = await place.input({ path: leads, kind: 'simplicity', mode: 'dry-run' }, parts);
await record('judgments-dry-run', { ...dryRun, operationsPath: `${leads}.operations` });
await record('judgments-commit', await place.input({ path: leads, kind: 'simplicity' }, parts));

const tree = join(place.dir, 'tree');
const ofTree = { kind: 'search-results', path: tree, directory: { tag: 'tag', batchSize: 5 } };
const slices = { partitionRows: 10 };
writeSearchTree(tree, { seed: 1, files: 40, imageBytes: 2000, dirtEvery: 4 });
await record('directory-dry-run', await place.input({ ...ofTree, mode: 'dry-run' }, slices));
await record(
  'directory-commit',
  await place.input({ ...ofTree, directory: { ...ofTree.directory, verifyWrites: true } }, slices),
);
writeSearchTree(tree, { seed: 1, files: 50, imageBytes: 2000, dirtEvery: 4 });
await record(
  'directory-delta',
  await place.input({ ...ofTree, directory: { ...ofTree.directory, delta: true } }, slices),
);
await record(
  'directory-nothing-new',
  await place.input({ ...ofTree, directory: { ...ofTree.directory, delta: true } }, slices),
);

/** A batch as the gateway puts it down; none without rows. */
async function recordMerge(tenantId: string, rows: readonly JsonCells[]): Promise<void> {
  const checksum = rowsChecksum(rows);
  if (rows.length > 0) {
    await place.sql`SELECT ingest.store_project_batch(${tenantId}, ${checksum}, 'batch', 'projects-import', gen_random_uuid(), ${place.sql.json(rows as never)})`;
  }
  const input: MergeInput = { backend: 'postgres', tenantId, checksum, taskQueue: place.config.taskQueue };
  await recordOther(tenantId, 'mergeProjects', `merge/${tenantId}/${checksum}`, input);
}

async function recordOther(name: string, workflow: string, workflowId: string, input: object): Promise<void> {
  const handle = await place.client.workflow.start(workflow, {
    workflowId,
    taskQueue: place.config.taskQueue,
    args: [input],
  });
  await handle.result().catch(() => undefined);
  await save(name, handle);
}

await recordMerge('merge', [{ stage_application: 'S1', deployment_specialist: 'nobody' }]);
await recordMerge('merge-refused', [{ stage_application: 'S1', residential: 'no number' }]);
await recordMerge('merge-gone', []);

const gateway = await startGateway(
  { ...place.config, gateway: { host: '127.0.0.1', port: 0 } },
  createLogger('fatal'),
  { rate: { perSecond: 1e6, burst: 1e6 } },
);
const projectsCsv = (rows: number): string =>
  `stage_application\n${Array.from({ length: rows }, (_, i) => `S${i}`).join('\n')}\n`;
const pushed = (tenantId: string, file: string, batchRows: number) =>
  pushInput(place.config, { tenantId, path: file, gatewayUrl: gateway.url, batchRows });
const projects = await place.file(projectsCsv(5), 'projects.csv');
await recordOther('push', 'pushProjects', 'push/one', { ...(await pushed('one', projects, 2)), remember: true });
await recordOther(
  'push-invalid',
  'pushProjects',
  'push/two',
  await pushed('two', await place.file('stage_application\n" "\n', 'invalid.csv'), 2),
);
await recordOther('push-continue-as-new', 'pushProjects', 'push/three', {
  ...(await pushed('three', await place.file(projectsCsv(EVENTS_PER_EXECUTION / 5), 'many projects.csv'), 1)),
});

const inbox = join(place.dir, 'inbox');
mkdirSync(inbox);
for (const rows of [1, 2]) writeFileSync(join(inbox, `${rows}.csv`), projectsCsv(rows));
const { taskQueue, host, backend } = place.config;
const fileQueue = hostQueue(taskQueue, host);
const daily: ScheduledPushInput = {
  taskQueue,
  fileQueue,
  backend,
  tenantId: 'four',
  from: inbox,
  timeZone: 'Australia/Adelaide',
  batchRows: 5000,
  gatewayUrl: gateway.url,
};
await recordOther('scheduled-push', 'scheduledPush', 'schedule/projects-four', daily);
await recordOther('scheduled-push-nothing', 'scheduledPush', 'schedule/projects-four-again', daily);
await recordOther('scheduled-push-missing', 'scheduledPush', 'schedule/projects-none', {
  ...daily,
  from: join(inbox, 'none'),
});
await recordOther('scheduled-import', 'scheduledImport', 'schedule/plaintiffs', {
  taskQueue,
  fileQueue,
  backend,
  request: { kind: 'plaintiffs', path, mode: 'dry-run' },
} satisfies ScheduledImportInput);
await recordOther('retention', 'retention', 'retention', {
  taskQueue,
  backend,
  importsDays: 60,
  anomaliesDays: 90,
} satisfies RetentionInput);
await recordOther('alert', 'alertAnomalies', 'alert', { taskQueue, backend, windowHours: 1 } satisfies AlertsInput);
await gateway.shutdown();

const many = await place.input(
  { path: await place.file(plaintiffsCsv(600), 'many.csv') },
  { chunkBytes: 4096, partitionRows: 20, window: 1 },
);
const cancelled = await startImport(place.client, many);
while (
  (
    await place.sql`SELECT FROM ingest.import_run_steps s JOIN ingest.import_runs r ON r.id = s.run_id WHERE r.filename = 'many.csv'`
  ).length < 1
)
  await sleep(5);
await cancelled.cancel();
await importResult(cancelled);
await save('cancelled', cancelled);

// An activity takes some six events: enough tiny chunks that one execution does not hold them.
const rows = Array.from({ length: Math.ceil(EVENTS_PER_EXECUTION / 2) }, (_, i) => `P${i},${'y'.repeat(60)}\n`).join(
  '',
);
const long = await place.input(
  { path: await place.file(`name,address\n${rows}`, 'long.csv'), mode: 'dry-run' },
  { chunkBytes: 60, window: 16, sharedObjects: false },
);
await record('continue-as-new', long);

await worker.shutdown();
await place.close();
await stopSharedStack();
