/** Rejects of a dry run, written to a file on the host that holds the source: the stage is gone afterwards. */
import { open } from 'node:fs/promises';
import { IntakeError } from '../../errors.ts';
import { rejectsEnd, rejectsHeader } from '../../sources/csv/rejects.ts';
import type { Content, ImportInput, Plan } from '../../messages/imports.ts';
import type { Chunk } from '../../sources/csv/chunks.ts';
import type { Deps } from '../deps.ts';
import { workflowId } from '../workflowId.ts';
import { localManifest } from '../../staging/manifest.ts';
import { longRecord } from '../../staging/longRecord.ts';
import { readRange } from '../../sources/file.ts';
import { readRows } from '../../staging/readRows.ts';

export const rejectsActivity = ({ workDir }: Deps) => ({
  async writeRejects({
    input,
    plan,
    content,
  }: {
    input: ImportInput;
    plan?: Plan | undefined;
    content: Content;
  }): Promise<void> {
    const manifest = await localManifest(workDir, content.layout, workflowId(), input.path);
    const file = await open(input.rejectsPath as string, 'w', 0o600).catch((cause) => {
      throw new IntakeError('USAGE', 'The file for the rejects cannot be written', {
        cause,
        remedy: 'Give --rejects a path in a directory that exists.',
      });
    });
    try {
      await file.write(
        rejectsHeader(await readRange(input.path, { offset: 0, length: manifest.headerLength }), manifest),
      );
      const read = (chunk: number) => readRange(input.path, manifest.chunks[chunk] as Chunk);
      for (const chunk of manifest.chunks) {
        const bytes = chunk.tooLarge ? Buffer.alloc(0) : await readRange(input.path, chunk);
        const { kind, sourceSystem, options } = input;
        const source = {
          ...manifest,
          rowCells: plan?.rowCells,
          nullWords: options.nullWords,
          decodeHtml: options.decodeHtml,
          kind,
          sourceSystem,
          dateOrder: options.dateOrder,
          map: options.map,
          bytes,
          line: chunk.line,
          firstRow: chunk.firstRow,
          tooLarge: chunk.tooLarge && { rows: chunk.rows },
        };
        for (const { line, error, message, record } of readRows(source)) {
          if (!error) continue;
          if (chunk.tooLarge) for await (const piece of longRecord(manifest, line, read)) await file.write(piece);
          else await file.write(record());
          await file.write(rejectsEnd({ line, code: error, message: message ?? '' }, manifest, ''));
        }
      }
    } finally {
      await file.close();
    }
  },
});
