import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { png } from '../../../bench/generators/png.ts';
import { DIRT, SAMPLE, searchTree, writeSearchTree, type SearchNature } from '../../../bench/generators/searchTree.ts';
import { ImageIndex } from '../../../src/sources/tree/imageIndex.ts';
import { licencesOf } from '../../../src/sources/search/licences.ts';
import { readImage } from '../../sources/tree/tree.ts';
import { scanTree, type TreeFile } from '../../../src/sources/tree/scanTree.ts';
import { readSearchFile, searchKey, sourceImageOf } from '../../../src/sources/search/searchFile.ts';

const sample = new URL('../../../samples/search-results/', import.meta.url);

describe('the generated tree of search results', () => {
  let root = '';
  const files: TreeFile[] = [];
  const natureOf = new Map<string, SearchNature>();
  const options = { seed: 3, files: 120, imageBytes: 2000, dirtEvery: 4 };
  before(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'intake-tree-')));
    writeSearchTree(root, options);
    for await (const file of scanTree(root)) files.push(file);
    for (const { nature, json } of searchTree(options)) natureOf.set(json.path, nature);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it('is the same for the same seed, however many searches follow, and another for another seed', () => {
    const texts = (seed: number, count: number): string[] =>
      [...searchTree({ ...options, seed, files: count })].map(({ json }) => json.bytes().toString());
    assert.deepEqual(texts(3, 50), texts(3, 120).slice(0, 50));
    assert.notDeepEqual(texts(4, 50), texts(3, 50));
  });

  it('is clean without dirt: 515 files have 514 images, each its own', () => {
    const searches = [...searchTree({ seed: 1, files: 515 })];
    const images = searches.flatMap((search) => search.images);
    assert.deepEqual([searches.length, images.length], [515, 514]);
    assert.equal(new Set(searches.map(({ json }) => json.path)).size, 515);
    const searched = searches.map(({ json }) => readSearchFile(json.bytes()));
    assert.ok(searched.every((read) => read.ok && licencesOf(read.file).every(({ error }) => error === undefined)));
    assert.equal(new Set(searched.map((read) => read.ok && searchKey(read.file))).size, 515);
  });

  it('has each kind of dirt, and each is what it is made to be', async () => {
    const index = new ImageIndex(root);
    for (const file of files) if (file.kind === 'image') index.add(file);
    const found: Record<string, Set<string>> = {};
    const keys = new Set<string>();
    for (const { path, kind } of files) {
      if (kind !== 'json') continue;
      const outcome = (found[natureOf.get(path) as string] ??= new Set());
      const read = readSearchFile(readFileSync(join(root, path)));
      if (!read.ok) {
        outcome.add(read.code);
        continue;
      }
      if (keys.has(searchKey(read.file))) outcome.add('DUPLICATE_SEARCH');
      keys.add(searchKey(read.file));
      for (const { error } of licencesOf(read.file)) if (error) outcome.add(error);
      const { image, error: unfound } = { image: undefined, ...index.resolve(sourceImageOf(read.file) ?? '', path) };
      const error = image ? (await readImage(root, image.path, image)).error : unfound;
      if (error) outcome.add(error);
    }
    const faults: Partial<Record<SearchNature, string>> = {
      'missing-image': 'IMAGE_MISSING',
      'corrupt-image': 'IMAGE_CORRUPT',
      duplicate: 'DUPLICATE_SEARCH',
      'bad-date': 'BAD_DATE',
      'bad-state': 'BAD_STATE',
      'missing-field': 'SCHEMA_MISMATCH',
      'cut-off': 'INVALID_JSON',
    };
    for (const nature of ['found', 'several', 'no-results', ...DIRT] as const) {
      assert.deepEqual([...(found[nature] ?? ['none'])], faults[nature] ? [faults[nature]] : [], nature);
    }
    assert.ok(index.orphans >= 2);
  });

  it('has images of the size that is asked for, whole and of distinct content', () => {
    for (const bytes of [4_000, 110_000, 1_000_000]) assert.ok(Math.abs(png(1, bytes).length - bytes) < 600);
    const image = png(1, 4_000);
    assert.notDeepEqual(png(2, 4_000), image);
    const start = image.indexOf('IDAT') + 4;
    assert.equal(
      inflateSync(image.subarray(start, start + image.readUInt32BE(start - 8))).length,
      512 * image.readUInt32BE(20),
    );
  });

  it('is what the sample is', async () => {
    const expected = new Map(
      [...searchTree(SAMPLE)]
        .flatMap(({ json, images }) => [json, ...images])
        .map(({ path, bytes }) => [path, bytes()]),
    );
    const paths: string[] = [];
    for await (const { path } of scanTree(realpathSync(sample))) paths.push(path);
    assert.deepEqual(paths, [...expected.keys()].sort());
    for (const path of paths) assert.deepEqual(readFileSync(new URL(path, sample)), expected.get(path), path);
  });
});
