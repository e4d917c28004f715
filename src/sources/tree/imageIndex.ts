/** Finds the images of a tree by paths that were written elsewhere. Some 140 bytes an image: a million fit in memory. */
import { KeyIndex } from './keyIndex.ts';
import { readableName } from './names.ts';
import { PathList } from './pathList.ts';

export interface IndexedImage {
  /** Below the root. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export type FoundImage =
  | { readonly image: IndexedImage; readonly error?: undefined }
  | { readonly error: 'IMAGE_AMBIGUOUS'; readonly paths: readonly string[] }
  /** `nearest` has the name that was looked for, but lies or ends where it does not belong to the search. */
  | { readonly error: 'IMAGE_MISSING'; readonly nearest?: string };

/** As every scraper names the folder of a state. */
const STATE = /^[A-Z]{2}$/;
const DATE = /\d{4}[-_.]?\d\d[-_.]?\d\d/;

/** So many images of one key are looked at: of more, none is the one that was meant. */
const LOOKED_AT = 64;

export class ImageIndex {
  readonly #rootSegments: readonly string[];
  readonly #images = new PathList();
  /** By whole path, and by each tail of it; keys have neither case nor ending. */
  readonly #tails = new KeyIndex();
  /** Of each key, its image. */
  #owners = new Uint32Array(16);
  #keys = 0;

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
    const segments = segmentsOf(path);
    const at = this.#images.count;
    this.#images.add(path, size, mtimeMs);
    this.#addKey(wholeKey(segments), at);
    for (let length = 1; length <= segments.length; length++) this.#addKey(tailKey(segments.slice(-length)), at);
  }

  /**
   * The image that a file names by a path that may be absolute on another machine, relative to a parent, or of Windows. Nothing
   * that the path says may contradict: the image lies at the end of the path below the root or below a folder that holds the
   * JSON file, too, or it is the only one that ends as the whole path does. Names that differ by case alone are taken when there
   * is one.
   * @param jsonPath below the same root; without it, the folders of the JSON file say nothing about the images.
   */
  resolve(source: string, jsonPath?: string): FoundImage {
    const home = jsonPath === undefined ? [] : segmentsOf(jsonPath).slice(0, -1);
    const readings = readingsOf(source).map(namesIn);
    for (const exactly of [true, false]) {
      for (const wanted of readings) {
        const found = this.#find(wanted, home, exactly);
        if (found.length > 1) return { error: 'IMAGE_AMBIGUOUS', paths: found.map((at) => this.#images.pathAt(at)) };
        if (found[0] !== undefined) return { image: this.#take(found[0]) };
      }
    }
    const nearest = this.#nearest(readings, home);
    return { error: 'IMAGE_MISSING', ...(nearest === undefined ? {} : { nearest }) };
  }

  #take(at: number): IndexedImage {
    this.#images.mark(at);
    return { path: this.#images.pathAt(at), ...this.#images.factsAt(at) };
  }

  /** One image, or several that may be meant as well as each other. */
  #find(wanted: readonly string[], home: readonly string[], exactly: boolean): number[] {
    for (let length = wanted.length; length >= leastTail(wanted, home); length--) {
      const tail = wanted.slice(-length);
      for (let above = home.length; above >= 0; above--) {
        const path = [...home.slice(0, above), ...tail];
        const found = this.#at(wholeKey(path), path, exactly, path.length);
        const allowed = found.filter(() => !contradicts(wanted, path, length, this.#rootSegments));
        if (allowed.length > 0) return exactly ? allowed.slice(0, 1) : allowed;
      }
      // However far below the root it lies: the whole of what the file says agrees.
      if (length === wanted.length) {
        const found = this.#at(tailKey(tail), tail, exactly);
        if (found.length > 0) return found;
      }
    }
    return [];
  }

  /** Up to two images with this key whose path ends so. */
  #at(key: string, tail: readonly string[], exactly: boolean, depth?: number): number[] {
    const found: number[] = [];
    let looked = 0;
    for (const entry of this.#tails.find(key)) {
      if (++looked > LOOKED_AT || found.length === 2) break;
      const at = this.#owners[entry]!;
      const segments = segmentsOf(this.#images.pathAt(at));
      if (depth !== undefined && segments.length !== depth) continue;
      if (tail.length > segments.length) continue;
      const own = segments.slice(-tail.length);
      if (exactly ? own.every((name, i) => name === tail[i]) : folded(own.join('/')) === folded(tail.join('/')))
        found.push(at);
    }
    return found;
  }

  /** Of the images with this name, whatever their case, ending and folder, the one that has most in common with both paths. */
  #nearest(readings: readonly (readonly string[])[], home: readonly string[]): string | undefined {
    let best: { path: string; common: number } | undefined;
    for (const wanted of readings) {
      let looked = 0;
      for (const entry of this.#tails.find(tailKey(wanted.slice(-1)))) {
        if (++looked > LOOKED_AT) break;
        const path = this.#images.pathAt(this.#owners[entry]!);
        const segments = segmentsOf(path);
        if (withoutEnding(folded(segments.at(-1) ?? '')) !== withoutEnding(folded(wanted.at(-1) ?? ''))) continue;
        const common = segments.filter((name) => wanted.includes(name) || home.includes(name)).length;
        if (!best || common >= best.common) best = { path, common };
      }
    }
    return best?.path;
  }

  #addKey(key: string, at: number): void {
    if (this.#keys === this.#owners.length) {
      const owners = new Uint32Array(this.#keys * 2);
      owners.set(this.#owners);
      this.#owners = owners;
    }
    this.#owners[this.#keys++] = at;
    this.#tails.add(key);
  }
}

/**
 * How many names of the path must agree at least. Where it names the folder of the JSON file, the image lies where it says from
 * there on: beside the file, or below.
 */
function leastTail(wanted: readonly string[], home: readonly string[]): number {
  const folders = wanted.slice(0, -1);
  for (let length = home.length; length > 0; length--) {
    const tail = home.slice(-length);
    for (let at = folders.length - length; at >= 0; at--) {
      if (tail.every((name, i) => name === folders[at + i])) return wanted.length - at;
    }
  }
  return 1;
}

/**
 * Whether the two say different things of one folder, though they end alike: another state, another date, or another name below a
 * folder on which they agree.
 * @param length of the end that is alike.
 */
function contradicts(
  wanted: readonly string[],
  path: readonly string[],
  length: number,
  root: readonly string[],
): boolean {
  const theirs = wanted.at(-1 - length);
  const ours = [...root, ...path].at(-1 - length);
  if (theirs === undefined || ours === undefined || theirs === ours) return false;
  if (STATE.test(theirs) && STATE.test(ours)) return true;
  if (length >= path.length) return false;
  if (DATE.test(theirs) && DATE.test(ours)) return true;
  for (let above = length + 1; above < Math.min(wanted.length, path.length); above++) {
    if (wanted.at(-1 - above) === path.at(-1 - above)) return true;
  }
  return false;
}

/** What a path may mean, as it is written first: quotes go, of an address its path counts, `%20` may be a blank. */
function readingsOf(source: string): string[] {
  const unquoted = source.trim().replace(/^["'\u2018-\u201f](.*)["'\u2018-\u201f]$/, '$1');
  const address = /^(?:file|https?):\/\//i.test(unquoted);
  const written = unquoted.replace(/^(?:file:\/\/|https?:\/\/[^/]*)/i, '').replace(/^\/?[A-Za-z]:/, '');
  const readings = [written];
  if (address) readings.push(written.replace(/[?#].*$/s, ''));
  const decoded = decode(readings.at(-1) as string);
  return [...new Set([...readings, decoded])];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Of a path as the listing shows it. */
const segmentsOf = (path: string): string[] => namesIn(readableName(path));

/** Without `.` and `..`: only names are compared, so nothing can lead out of the root. */
function namesIn(path: string): string[] {
  return composed(path)
    .split(/[/\\]/)
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

const folded = (text: string): string => text.toLowerCase();
const withoutEnding = (path: string): string => path.replace(/\.[^./]*$/, '');
const tailKey = (segments: readonly string[]): string => withoutEnding(folded(segments.join('/')));
/** No tail begins with a slash. */
const wholeKey = (segments: readonly string[]): string => `/${tailKey(segments)}`;

/** macOS writes names with accents apart. */
const composed = (text: string): string => (/[^\0-\x7f]/.test(text) ? text.normalize('NFC') : text);
