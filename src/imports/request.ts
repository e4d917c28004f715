/**
 * imports/: An import as a client sees it: its request made whole, its start, its progress and end.
 *
 * A request made whole: defaults, the file's hash, names. Asks files, never Temporal, so that activities may use it,
 * too.
 */
import { createHash } from 'node:crypto';
import { basename, parse, resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { DirectoryInput } from '../messages/directory.ts';
import type { AnyInput, ImportInput } from '../messages/imports.ts';
import type { ImportRequest } from '../messages/requests.ts';
import type { RunInput } from '../messages/run.ts';
import { IntakeError } from '../errors.ts';
import { csvKindNamed, kindNamed } from '../kinds/index.ts';
import { targetText } from '../settings/target.ts';
import { hashFile } from '../sources/file.ts';
import { openRoot } from '../sources/tree/scanTree.ts';
import { hostQueue } from '../temporal/queues.ts';
import { requestWithoutTexts } from './headers.ts';
import { asItsRun, type FindRun } from './mended.ts';

/**
 * Fills in the defaults of a request; reads a whole file once for its hash.
 * @param find gives the run of mended rejects, which are imported as that run was.
 * @throws IntakeError for an unusable file or directory.
 */
export async function importInput(config: Config, request: ImportRequest, find?: FindRun): Promise<AnyInput> {
  if (kindNamed(request.kind).reads === 'directory') return directoryInput(config, request);
  return fileInput(config, find && request.mode !== 'verify' ? await asItsRun(request, find) : request);
}

async function fileInput(config: Config, request: ImportRequest): Promise<ImportInput> {
  const path = resolve(request.path);
  const { hash, bytes } = await hashFile(path);
  return {
    // From the content, so that a copy under another name is the same batch.
    ...runInput(config, request, { path, batchId: `sha256-${hash.slice(0, 32)}`, batchName: parse(path).name }),
    fileHash: hash,
    bytes,
    options: {
      map: {},
      dateOrder: csvKindNamed(request.kind).dateOrder,
      skipJobs: false,
      ...(request.options?.dateOrder === undefined ? { dateOrderAssumed: true } : {}),
      ...requestWithoutTexts(request).options,
    },
  };
}

/** A directory is read again with every import: each is a batch of its own, named by tag and time. */
async function directoryInput(config: Config, request: ImportRequest): Promise<DirectoryInput> {
  const {
    tag,
    singleFile,
    imagesDir,
    delta = false,
    verifyWrites = false,
    batchSize = 25,
    maxWorkers = 16,
    maxConcurrentUploads = 10,
    nullWords,
    decodeHtml,
  } = request.directory ?? {};
  if (!tag) throw new IntakeError('USAGE', 'Which dataset?', { remedy: 'Give it a tag: --tag NAME.' });
  return {
    ...runInput(config, request, {
      path: await openRoot(resolve(request.path)),
      batchId: `${tag}/${new Date().toISOString()}`,
      batchName: tag,
    }),
    tag,
    delta,
    verifyWrites,
    batchSize,
    maxWorkers,
    maxConcurrentUploads,
    compression: config.compression,
    ...(singleFile ? { singleFile } : {}),
    ...(nullWords ? { nullWords } : {}),
    ...(decodeHtml ? { decodeHtml } : {}),
    ...(imagesDir ? { imagesDir: await openRoot(resolve(imagesDir)) } : {}),
  };
}

function runInput(
  config: Config,
  request: ImportRequest,
  { path, ...usual }: { path: string; batchId: string; batchName: string },
): RunInput {
  const kind = kindNamed(request.kind);
  const batchName = request.batchName ?? usual.batchName;
  const backend = request.backend ?? config.backend;
  return {
    kind: kind.name,
    mode: request.mode,
    backend,
    target: targetText({ ...config, backend }),
    path,
    filename: basename(path),
    fileQueue: hostQueue(config.taskQueue, config.host),
    taskQueue: config.taskQueue,
    sourceSystem: request.sourceSystem ?? kind.defaultSource,
    batchId: request.batchId ?? usual.batchId,
    batchName,
    sourceReference: request.sourceReference ?? batchName,
    ...(request.differencesPath ? { differencesPath: resolve(request.differencesPath) } : {}),
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

/** Of kinds whose source system is a tenant. */
export const tenantOf = ({ kind, sourceSystem }: AnyInput): string | undefined =>
  kindNamed(kind).sourceIsTenant ? sourceSystem : undefined;

/** The import of a directory. */
export const isDirectory = (input: AnyInput): input is DirectoryInput => 'tag' in input;

/**
 * `import/<kind>/<source-system>/<batch>/<hash16>`, of a directory `import/<kind>/<source-system>/<tag>/<hash16 of its path>`; a dry
 * run ends in `/dry`, a verification in `/verify`. A server may limit an id to 255 bytes: long names stand in it with their hash.
 */
export function workflowIdOf(input: AnyInput): string {
  const { kind, sourceSystem, mode } = input;
  const names = isDirectory(input) ? [input.tag, hash16(input.path)] : [input.batchId, input.fileHash.slice(0, 16)];
  const id = ['import', kind, ...[sourceSystem, ...names].map(bounded)].join('/');
  return mode === 'commit' ? id : `${id}/${mode === 'dry-run' ? 'dry' : 'verify'}`;
}

const LONGEST_NAME = 80;
const hash16 = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A name as it is, a long one by its beginning and its hash. */
function bounded(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  let start = '';
  for (const character of name) {
    if (Buffer.byteLength(start + character) > LONGEST_NAME - 17) break;
    start += character;
  }
  return `${start}~${hash16(name)}`;
}
