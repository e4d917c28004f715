/** What completed imports into a dataset have taken, read beside a listing in path order: for --delta. */
import type { Backend } from '../../database/backend.ts';
import type { KnownFile } from '../../database/rows.ts';

interface Seen {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

const PAGE = 2000;

/**
 * Asked file after file in the order of their paths' bytes; holds a page.
 * @param kind of datasets.
 */
export function knownFiles(
  target: Backend,
  kind: string,
  tag: string,
): { holds(file: Seen, sha256: string, image: Seen | undefined): Promise<boolean> } {
  let page: KnownFile[] = [];
  let at = 0;
  let last = '';
  let ended = false;
  const advanceTo = async (path: string): Promise<KnownFile | undefined> => {
    for (;;) {
      const known = page[at];
      if (known) {
        const order = Buffer.compare(Buffer.from(known.path), Buffer.from(path));
        if (order >= 0) return order === 0 ? known : undefined;
        at++;
      } else if (ended) {
        return undefined;
      } else {
        page = await target.call('known_files', { kind, tag, after_path: last, max_rows: PAGE });
        at = 0;
        last = page.at(-1)?.path ?? last;
        ended = page.length < PAGE;
      }
    }
  };
  return {
    /** Whether file and image are what was imported: by size and time, or by content where only the time differs. */
    async holds(file, sha256, image) {
      const known = await advanceTo(file.path);
      if (!known || known.size !== file.size) return false;
      if (known.mtime_ms !== file.mtimeMs && (sha256 === '' || known.json_sha256 !== sha256)) return false;
      return (
        (known.image_path ?? undefined) === image?.path &&
        (!image || (known.image_size === image.size && known.image_mtime_ms === image.mtimeMs))
      );
    },
  };
}
