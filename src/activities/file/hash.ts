/** hash: the one full pass over the file; its content's hash and where it is cut into chunks. */
import { stat } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import { parseHeader } from '../../sources/csv/header.ts';
import { scanFile, type RecordVisitor } from '../../sources/csv/scanFile.ts';
import type { Encoding } from '../../sources/csv/encoding.ts';
import type { Delimiter } from '../../sources/csv/dialect.ts';
import { IntakeError } from '../../errors.ts';
import type { Content, ImportInput, Plan } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';
import { workflowId } from '../workflowId.ts';
import { heartbeat } from '../heartbeat.ts';
import { DateSurvey } from '../../staging/dateSurvey.ts';
import { layoutOf, partsFolder, saveManifest, deleteOldWork } from '../../staging/manifest.ts';
import { digest, readRange } from '../../sources/file.ts';
import { pageRemark } from '../../sources/csv/likelyPage.ts';
import { BUCKET } from '../../database/backend.ts';

export const hashActivity = ({ workDir }: Deps) => ({
  async hash({ input, plan }: { input: ImportInput; plan: Plan }): Promise<Content> {
    const { size } = await stat(input.path).catch(() => ({ size: 0 }));
    const signal = Context.current().cancellationSignal;
    const dialect = { delimiter: plan.delimiter as Delimiter, newline: plan.newline };
    const { options, mode } = input;
    let survey: DateSurvey | undefined;
    const surveyed = (head: Buffer): RecordVisitor | undefined => {
      const header = parseHeader(head, { ...dialect, encoding: plan.encoding as Encoding, bomBytes: 0 });
      survey = new DateSurvey(header, dialect, { ...options, kind: input.kind, rowCells: plan.rowCells });
      return survey.isNeeded ? survey.visit : undefined;
    };
    const scanned = await scanFile(input.path, {
      ...dialect,
      encoding: plan.encoding as Encoding,
      certain: plan.encodingCertain,
      bomBytes: plan.bomBytes,
      headerLine: plan.headerLine ?? 1,
      chunkBytes: input.tuning.chunkBytes,
      signal,
      onProgress: (done) => heartbeat({ done, total: size }),
      onHeader: options.dateOrderAssumed && mode === 'commit' ? surveyed : undefined,
    });
    if (scanned.sha256 !== input.fileHash)
      throw new IntakeError('CHANGED_FILE', 'The file changed since the import was started');
    if (scanned.rows === 0) throw new IntakeError('EMPTY_FILE', 'The file has a header but no rows', { line: 1 });
    const { encoding, rows, bytes, headerLength } = scanned;
    const head = await readRange(input.path, { offset: 0, length: headerLength });
    const layout = layoutOf(scanned.sha256, { ...dialect, encoding }, input.tuning.chunkBytes, plan.headerLine);
    const manifest = {
      version: 1 as const,
      filename: input.filename,
      sha256: scanned.sha256,
      bytes,
      rows,
      ...dialect,
      encoding,
      headerOffset: plan.bomBytes,
      headerLength,
      headerSha256: digest(head),
      chunks: scanned.chunks,
    };
    survey?.requireOrder();
    await deleteOldWork(workDir);
    await saveManifest(workDir, layout, workflowId(), manifest);
    return {
      layout,
      encoding,
      chunks: scanned.chunks.length,
      rows,
      bytes,
      storagePath: `${BUCKET}/${partsFolder(scanned.sha256, layout)}`,
      ...(scanned.sample ? { remarks: await pageRemark(scanned.sample) } : {}),
    };
  },
});
