/** Finds the images of a tree by paths that were written elsewhere. Some 90 bytes an image: a million fit in memory. */
import { KeyIndex } from './keyIndex.ts';
import { PathList } from './pathList.ts';

export interface IndexedImage {
  /** Below the root. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** As every scraper names the folder of a state. */
const STATE_FOLDER = /^[A-Z]{2}$/;

export class ImageIndex {
  readonly #rootSegments: readonly string[];
  readonly #images = new PathList();
  readonly #byName = new KeyIndex();
  /** By folder and name: in a tree that calls every image screenshot.png, the name alone finds all of them. */
  readonly #byFolder = new KeyIndex();

  /** @param root absolute; its own folders count where a path names them. */
  constructor(root: string) {
    this.#rootSegments = segmentsOf(root);
  }

  get count(): number {
    return this.#images.count;
  }

  /** How many images no file has asked for yet. */
  get orphans(): number {
    return this.#images.count - this.#images.marked;
  }

  /** In path order. */
  add({ path, size, mtimeMs }: IndexedImage): void {
    const segments = [...this.#rootSegments, ...segmentsOf(path)];
    this.#images.add(path, size, mtimeMs);
    this.#byName.add(tailOf(segments, 1));
    this.#byFolder.add(tailOf(segments, 2));
  }

  /**
   * The image whose path has the longest tail in common with the source's, which may be absolute on another machine, relative
   * to a parent, or of Windows. Among equals, one beside the JSON file wins, then path order. The name alone is not enough to
   * take an image from the folder of another state: `FL/Belmar_01.png` is not `PA/Belmar_01.png`.
   */
  resolve(source: string, jsonPath: string): IndexedImage | undefined {
    const wanted = segmentsOf(source);
    const at =
      this.#best(this.#byFolder.find(tailOf(wanted, 2)), wanted, jsonPath, 2) ??
      this.#best(this.#byName.find(tailOf(wanted, 1)), wanted, jsonPath, 1);
    if (at === undefined) return undefined;
    this.#images.mark(at);
    return { path: this.#images.pathAt(at), ...this.#images.factsAt(at) };
  }

  #best(candidates: Iterable<number>, wanted: readonly string[], jsonPath: string, least: number): number | undefined {
    const home = folderOf(jsonPath);
    let best: { at: number; matched: number; beside: boolean } | undefined;
    // They come in reverse path order.
    for (const at of candidates) {
      const path = this.#images.pathAt(at);
      const segments = [...this.#rootSegments, ...segmentsOf(path)];
      const beside = folderOf(path) === home;
      const matched = commonTail(wanted, segments);
      if (
        matched < least ||
        (matched === 1 && wanted.length > 1 && !beside && STATE_FOLDER.test(segments.at(-2) ?? ''))
      )
        continue;
      if (!best || matched > best.matched || (matched === best.matched && (beside || !best.beside)))
        best = { at, matched, beside };
    }
    return best?.at;
  }
}

/** Without drive, `.` and `..`: only names are compared, so nothing can lead out of the root. */
function segmentsOf(path: string): string[] {
  return composed(path)
    .split(/[/\\]/)
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

function commonTail(a: readonly string[], b: readonly string[]): number {
  let matched = 0;
  while (matched < a.length && matched < b.length && a.at(-1 - matched) === b.at(-1 - matched)) matched++;
  return matched;
}

const tailOf = (segments: readonly string[], length: number): string => segments.slice(-length).join('/');
const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** macOS writes names with accents apart. */
const composed = (text: string): string => (/[^\0-\x7f]/.test(text) ? text.normalize('NFC') : text);
