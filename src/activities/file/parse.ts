/**
 * activities/file/: A file: read, hashed, stored, parsed.
 *
 * parse: one chunk into the unlogged stage.
 */
import { COMMON_COLUMNS } from '../../staging/stageRows.ts';
import { IntakeError } from '../../errors.ts';
import type { Backend } from '../../database/backend.ts';
import { csvKindNamed } from '../../kinds/index.ts';
import type { Content, ImportInput, Plan } from '../../messages/imports.ts';
import { piecesRemark } from '../../messages/remarks.ts';
import type { Deps } from '../deps.ts';
import { workflowId } from '../workflowId.ts';
import { countAttempt } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { wholeObject } from '../wholeObject.ts';
import { localManifest, partName, partsFolder, storedManifest } from '../../staging/manifest.ts';
import { readRange } from '../../sources/file.ts';

export interface ParseRequest {
  readonly input: ImportInput;
  readonly plan: Plan;
  readonly content: Content;
  /** Null before a run is claimed: a dry run never has one. */
  readonly runId: string | null;
  readonly stageId: string;
  readonly chunk: number;
  readonly partitions: number;
  /** Whether the parts are read from storage; else the file itself is, on its host. */
  readonly stored: boolean;
}

/** What `read` reads from storage. Objects that are not as they were uploaded leave the list of stored ones, so that they are uploaded again. */
async function asUploaded<T>({ objects }: Backend, paths: readonly string[], read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof IntakeError && /^OBJECT_(MISSING|CORRUPT)$/.test(error.code))
      for (const path of paths) await objects.remove(path).catch(() => undefined);
    throw error;
  }
}

async function storedPart({ objects }: Backend, path: string, sha256: string): Promise<Buffer> {
  const bytes = await wholeObject(objects, path, sha256);
  if (bytes) return bytes;
  throw new IntakeError('OBJECT_CORRUPT', `The stored object ${path} is not what was uploaded`);
}

export const parseActivity = ({ backend, workDir, parser }: Deps) => ({
  async parse({ input, plan, content, runId, stageId, chunk, partitions, stored }: ParseRequest) {
    const target = backend(input.backend);
    await renewClaim(target, runId);
    const folder = partsFolder(input.fileHash, content.layout);
    const manifest = stored
      ? await asUploaded(target, [`${folder}/manifest.json`, `${folder}/${partName(0)}`], () =>
          storedManifest(target, input.fileHash, content.layout),
        )
      : await localManifest(workDir, content.layout, workflowId(), input.path);
    const range = manifest.chunks[chunk];
    if (!range) throw new IntakeError('OBJECT_CORRUPT', `The manifest has no chunk ${chunk}`);
    countAttempt(`Chunk ${chunk}, from line ${range.line}`);
    const { tooLarge } = range;
    const part = `${folder}/${partName(chunk + 1)}`;
    const bytes = tooLarge
      ? Buffer.alloc(0)
      : stored
        ? await asUploaded(target, [part], () => storedPart(target, part, range.sha256))
        : await readRange(input.path, range);

    const kind = csvKindNamed(input.kind);
    const { payload, rows, errored, codes, remarks } = await parser.parse({
      bytes,
      format: target.format,
      kind: kind.name,
      sourceSystem: input.sourceSystem,
      dateOrder: input.options.dateOrder,
      map: input.options.map,
      header: manifest.header,
      rowCells: plan.rowCells,
      nullWords: input.options.nullWords,
      decodeHtml: input.options.decodeHtml,
      encoding: manifest.encoding,
      isGuessed: input.options.encoding === undefined,
      delimiter: manifest.delimiter,
      newline: manifest.newline,
      line: range.line,
      firstRow: range.firstRow,
      tooLarge: tooLarge && { rows: range.rows },
      partitions,
      stageId,
      chunk,
    });
    const columns = [...COMMON_COLUMNS, ...kind.stageColumns];
    const pieces = await target.stage({
      ...{ stageId, kind: kind.name, table: kind.table, chunk, columns, rows, errored, payload },
    });
    return { rows, errored, codes, remarks: { ...remarks, ...piecesRemark(pieces) } };
  },
});
