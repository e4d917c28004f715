/** upload: the file into storage, part by part; the parts in order are the original, byte for byte. */
import type { Content, ImportInput } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';
import { workflowId } from '../workflowId.ts';
import { heartbeat } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { localManifest, partName, partsFolder, type Manifest, type StoredManifest } from '../../staging/manifest.ts';
import { shownTexts } from '../../sources/csv/headerNames.ts';
import { readRange } from '../../sources/file.ts';

/** Parts on their way at a time: enough to fill a line, few enough for memory. */
const IN_FLIGHT = 3;

export const uploadActivity = ({ backend, workDir }: Deps) => ({
  async upload({
    input,
    content,
    runId,
  }: {
    input: ImportInput;
    content: Content;
    runId: string;
  }): Promise<{ parts: number; skipped: number }> {
    const target = backend(input.backend);
    const { objects } = target;
    const manifest = await localManifest(workDir, content.layout, workflowId(), input.path);
    const folder = partsFolder(manifest.sha256, content.layout);
    const stored = await objects.list(folder);
    const parts = partsOf(manifest);
    let done = 0;
    let skipped = 0;
    const queue = parts.entries();
    const lane = async () => {
      for (const [i, range] of queue) {
        const name = partName(i);
        if (stored.get(name) === range.length) {
          skipped++;
        } else {
          await objects.put(`${folder}/${name}`, await readRange(input.path, range));
        }
        await renewClaim(target, runId);
        heartbeat({ done: ++done, total: parts.length });
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    // Before the manifest: who reads the run's rows finds their headers.
    await target.call('note_header', { run_id: runId, header: shownTexts(manifest.header) });
    // Written last: a manifest implies that all parts exist.
    if (!stored.has('manifest.json'))
      await objects.put(`${folder}/manifest.json`, Buffer.from(JSON.stringify(withoutTexts(manifest))));
    return { parts: manifest.chunks.length, skipped: Math.min(skipped, manifest.chunks.length) };
  },
});

const withoutTexts = ({ header: _, ...stored }: Manifest): StoredManifest => stored;

function partsOf(manifest: Manifest): { offset: number; length: number; sha256?: string }[] {
  return [{ offset: 0, length: manifest.headerLength }, ...manifest.chunks];
}
