/** Rejects of a dry run, written to a file on the host that holds the source: the stage is gone afterwards. */
import { open } from 'node:fs/promises';
import { IntakeError } from '../../errors.ts';
import { rejectsHeader, rejectsLine } from '../../sources/csv/rejects.ts';
import type { Content, ImportInput } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';
import { localManifest } from '../../staging/manifest.ts';
import { readRange } from '../../sources/readRange.ts';
import { readRows } from '../../staging/readRows.ts';

export const rejectsActivity = ({ workDir }: Deps) => ({
  async writeRejects({ input, content }: { input: ImportInput; content: Content }): Promise<void> {
    const manifest = await localManifest(workDir, content.layout);
    const file = await open(input.rejectsPath as string, 'w').catch((cause) => {
      throw new IntakeError('USAGE', 'The file for the rejects cannot be written', {
        cause,
        remedy: 'Give --rejects a path in a directory that exists.',
      });
    });
    try {
      await file.write(
        rejectsHeader(await readRange(input.path, { offset: 0, length: manifest.headerLength }), manifest),
      );
      for (const chunk of manifest.chunks) {
        const bytes = await readRange(input.path, chunk);
        const { kind, sourceSystem, options } = input;
        const source = {
          ...manifest,
          kind,
          sourceSystem,
          dateOrder: options.dateOrder,
          map: options.map,
          bytes,
          line: chunk.line,
          firstRow: chunk.firstRow,
        };
        for (const { line, error, message, record } of readRows(source)) {
          if (error)
            await file.write(
              rejectsLine({ line, code: error, message: message ?? '', record: record() }, manifest, ''),
            );
        }
      }
    } finally {
      await file.close();
    }
  },
});
