/** Starting, watching and ending imports: the calls that the CLI and the gateway share. */
import { createHash, randomUUID } from 'node:crypto';
import { basename, parse, resolve } from 'node:path';
import { Client, Connection, isGrpcServiceError, WorkflowFailedError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, defineSearchAttributeKey, SearchAttributeType, TerminatedFailure } from '@temporalio/common';
import type { BackendName, Config } from '../config.ts';
import { openRegularFile } from '../sources/openFile.ts';
import { ERRORS, IntakeError } from '../errors.ts';
import { openRoot } from '../sources/tree/scanTree.ts';
import { kindNamed } from '../kinds/index.ts';
import { connectOptions, hostQueue } from '../temporal/connectOptions.ts';
import { openTraces } from '../observability/traces.ts';
import { PROGRESS_QUERY, SEARCH_ATTRIBUTES, type AnyInput, type ImportInput, type ImportMode, type ImportOptions, type ImportReport, type RunInput } from '../messages/imports.ts';
import type { DirectoryInput } from '../messages/directory.ts';

export interface ImportRequest {
  readonly kind: string;
  readonly path: string;
  readonly mode: ImportMode;
  readonly backend?: BackendName;
  readonly sourceSystem?: string;
  readonly batchId?: string;
  readonly batchName?: string;
  readonly sourceReference?: string;
  readonly options?: Partial<ImportOptions>;
  readonly rejectsPath?: string;
  readonly operationsPath?: string;
  readonly relatedRunId?: string;
  readonly directory?: DirectoryOptions;
}

/** Of a kind that is read from a directory. */
export type DirectoryOptions = Partial<Pick<DirectoryInput, 'tag' | 'singleFile' | 'delta' | 'verifyWrites' | 'batchSize' | 'maxWorkers' | 'maxConcurrentUploads'>>;

export async function connectTemporal(config: Config): Promise<Client> {
  if (!config.temporal) throw new IntakeError('CONFIG_INVALID', 'TEMPORAL_ADDRESS is not set');
  try {
    const connection = await Connection.connect({ ...(await connectOptions(config.temporal)), connectTimeout: '5 s' });
    return new Client({ connection, namespace: config.temporal.namespace, ...(await openTraces(config))?.client });
  } catch (cause) {
    if (cause instanceof IntakeError) throw cause;
    throw new IntakeError('TEMPORAL_UNAVAILABLE', `Temporal does not answer at ${config.temporal.address}`, { cause });
  }
}

/** Fills in the defaults of a request; reads a whole file once for its hash. @throws IntakeError for an unusable file or directory. */
export async function importInput(config: Config, request: ImportRequest): Promise<AnyInput> {
  return kindNamed(request.kind).reads === 'directory' ? directoryInput(config, request) : fileInput(config, request);
}

async function fileInput(config: Config, request: ImportRequest): Promise<ImportInput> {
  const path = resolve(request.path);
  const { hash, bytes } = await hashFile(path);
  return {
    // From the content, so that a copy under another name is the same batch.
    ...runInput(config, request, { path, batchId: `sha256-${hash.slice(0, 32)}`, batchName: parse(path).name }),
    fileHash: hash,
    bytes,
    options: { map: {}, dateOrder: 'mdy', skipJobs: false, ...request.options },
  };
}

/** A directory is read again with every import: each is a batch of its own, named by tag and time. */
function directoryInput(config: Config, request: ImportRequest): DirectoryInput {
  const { tag, singleFile, delta = false, verifyWrites = false, batchSize = 25, maxWorkers = 16, maxConcurrentUploads = 10 } = request.directory ?? {};
  if (!tag) throw new IntakeError('USAGE', 'Which dataset?', { remedy: 'Give it a tag: --tag NAME.' });
  return {
    ...runInput(config, request, { path: openRoot(resolve(request.path)), batchId: `${tag}/${new Date().toISOString()}`, batchName: tag }),
    tag, delta, verifyWrites, batchSize, maxWorkers, maxConcurrentUploads,
    compression: config.compression,
    ...(singleFile ? { singleFile } : {}),
  };
}

function runInput(config: Config, request: ImportRequest, { path, ...usual }: { path: string; batchId: string; batchName: string }): RunInput {
  const kind = kindNamed(request.kind);
  const batchName = request.batchName ?? usual.batchName;
  const backend = request.backend ?? config.backend;
  return {
    kind: kind.name,
    mode: request.mode,
    backend,
    path,
    filename: basename(path),
    fileQueue: hostQueue(config.taskQueue, config.host),
    taskQueue: config.taskQueue,
    sourceSystem: request.sourceSystem ?? kind.defaultSource,
    batchId: request.batchId ?? usual.batchId,
    batchName,
    sourceReference: request.sourceReference ?? batchName,
    ...(request.rejectsPath ? { rejectsPath: resolve(request.rejectsPath) } : {}),
    ...(request.operationsPath ? { operationsPath: resolve(request.operationsPath) } : {}),
    ...(request.relatedRunId ? { relatedRunId: request.relatedRunId } : {}),
    tuning: {
      chunkBytes: config.chunkBytes,
      window: config.window,
      partitionRows: config.partitionRows,
      sharedObjects: backend === 'supabase' || config.objectsShared,
    },
  };
}

/** The import of a directory. */
export const isDirectory = (input: AnyInput): input is DirectoryInput => 'tag' in input;

/**
 * `import/<kind>/<source-system>/<batch>/<hash16>`, of a directory `import/<kind>/<source-system>/<tag>/<hash16 of its path>`; a dry
 * run ends in `/dry`, a verification in `/verify`.
 */
export function workflowIdOf(input: AnyInput): string {
  const { kind, sourceSystem, mode } = input;
  const names = isDirectory(input) ? [input.tag, createHash('sha256').update(input.path).digest('hex').slice(0, 16)] : [input.batchId, input.fileHash.slice(0, 16)];
  const id = ['import', kind, sourceSystem, ...names].join('/');
  return mode === 'commit' ? id : `${id}/${mode === 'dry-run' ? 'dry' : 'verify'}`;
}

/** Starts the import, or attaches to the one that is running; `starter` tells the two apart (see `attached`). */
export async function startImport(client: Client, input: AnyInput, starter: string = randomUUID()): Promise<WorkflowHandle> {
  const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value });
  return client.workflow.start(isDirectory(input) ? 'importDirectory' : 'importFile', {
    workflowId: workflowIdOf(input),
    taskQueue: input.taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    memo: { starter },
    staticSummary: `${input.mode}: ${input.kind} from ${input.sourceSystem}, ${input.filename}`,
    typedSearchAttributes: [
      keyword(SEARCH_ATTRIBUTES.kind, input.kind),
      keyword(SEARCH_ATTRIBUTES.source, input.sourceSystem),
      ...(kindNamed(input.kind).sourceIsTenant ? [keyword(SEARCH_ATTRIBUTES.tenant, input.sourceSystem)] : []),
      keyword(SEARCH_ATTRIBUTES.status, 'running'),
    ],
  });
}

/** Whether an import was running already when `starter` asked for it. */
export async function attached(handle: WorkflowHandle, starter: string): Promise<boolean> {
  const { memo } = await handle.describe();
  return memo !== undefined && memo['starter'] !== starter;
}

/** gRPC's DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE and a broken stream: the server is away or busy. */
const OUTAGE = new Set([1, 2, 4, 8, 13, 14]);

/**
 * Waits for the end of an import, through outages of Temporal. An import that failed is no error: the report says so.
 * @param onOutage called once when Temporal does not answer.
 * @throws IntakeError RUN_NOT_FOUND; what Temporal refuses.
 */
export function importResult(handle: WorkflowHandle, onOutage?: () => void): Promise<ImportReport> {
  return resultOf(handle, (error) => failedReport(handle, error), onOutage);
}

/** The same of any workflow; `failed` says what its failure stands for. */
export async function resultOf<T>(handle: WorkflowHandle, failed: (error: WorkflowFailedError) => T | Promise<T>, onOutage?: () => void): Promise<T> {
  let away = false;
  for (;;) {
    try {
      return (await handle.result()) as T;
    } catch (error) {
      if (error instanceof WorkflowFailedError) return await failed(error);
      if (error instanceof WorkflowNotFoundError) throw new IntakeError('RUN_NOT_FOUND', 'Temporal knows no such import', { cause: error });
      if (!isOutage(error)) throw error;
      // Temporal is away for a while; the import is not.
      if (!away) onOutage?.();
      away = true;
      await new Promise((wake) => setTimeout(wake, 1000));
    }
  }
}

function isOutage(error: unknown): boolean {
  const cause = error instanceof Error && !isGrpcServiceError(error) ? error.cause : error;
  return isGrpcServiceError(cause) && OUTAGE.has(cause.code);
}

/** The report of a running import, or undefined when no worker answers now. */
export async function importProgress(handle: WorkflowHandle): Promise<ImportReport | undefined> {
  try {
    return await handle.query<ImportReport>(PROGRESS_QUERY);
  } catch {
    return undefined;
  }
}

async function failedReport(handle: WorkflowHandle, { cause }: WorkflowFailedError): Promise<ImportReport> {
  const [details] = cause instanceof ApplicationFailure ? ((cause.details ?? []) as ImportReport[]) : [];
  if (details?.phases) return details;
  const cancelled = cause instanceof CancelledFailure;
  // A closed workflow still answers its query while a worker can replay it.
  const last = await importProgress(handle);
  const code = cancelled ? 'CANCELLED' : cause instanceof TerminatedFailure ? 'CANCELLED' : 'INTERNAL';
  return {
    ...(last ?? emptyReport()),
    status: cancelled ? 'cancelled' : 'failed',
    error: last?.error ?? { code, message: cancelled ? 'The import was cancelled' : 'The import was ended from outside', remedy: ERRORS[code].remedy },
  };
}

/** The report of an import that has not begun. */
export const emptyReport = (): ImportReport => ({
  status: 'failed', runId: null, duplicateOf: null, parentRunId: null, storagePath: null, startedAt: new Date().toISOString(),
  counts: { fetched: 0, inserted: 0, updated: 0, skipped: 0, errored: 0 }, codes: {}, phases: {},
});

/** SHA-256 of a regular file, hex. @throws IntakeError FILE_NOT_FOUND, NOT_A_FILE, FILE_UNREADABLE, EMPTY_FILE. */
export async function hashFile(path: string): Promise<{ hash: string; bytes: number }> {
  const file = await openRegularFile(path, path);
  try {
    const stats = await file.stat();
    if (stats.size === 0) throw new IntakeError('EMPTY_FILE', `${path} is empty`);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const block of file.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false })) {
      hash.update(block as Buffer);
      bytes += (block as Buffer).length;
    }
    return { hash: hash.digest('hex'), bytes };
  } finally {
    await file.close();
  }
}
