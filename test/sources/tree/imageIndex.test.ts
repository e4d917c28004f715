import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ImageIndex } from '../../../src/sources/tree/imageIndex.ts';

function indexOf(paths: readonly string[], root = '/srv/scrapes/2025-08-04'): ImageIndex {
  const index = new ImageIndex(root);
  [...paths].sort().forEach((path, i) => index.add({ path, size: i + 1, mtimeMs: 1000 + i }));
  return index;
}
const resolve = (
  paths: readonly string[],
  source: string,
  json = 'FL/x_parse.json',
  root?: string,
): string | undefined => indexOf(paths, root).resolve(source, json)?.path;

describe('ImageIndex', () => {
  const tree = ['FL/a.png', 'PA/a.png', 'old/FL/a.png', 'old/FL/b.png', 'c.png'];

  it('takes the image with the longest tail in common, of paths from anywhere', () => {
    assert.equal(resolve(tree, '/home/someone/data/PA/a.png'), 'PA/a.png');
    assert.equal(resolve(tree, 'data/old/FL/a.png'), 'old/FL/a.png');
    assert.equal(resolve(tree, 'C:\\scrape\\FL\\b.png'), 'old/FL/b.png');
    assert.equal(resolve(tree, '../../PA/./a.png'), 'PA/a.png');
    assert.equal(resolve(tree, '/elsewhere/c.png'), 'c.png');
  });

  it('counts the folders of the root itself', () => {
    const two = ['FL/a.png', '2025-08-03/FL/a.png'];
    assert.equal(resolve(two, '/data/2025-08-04/FL/a.png', 'x_parse.json'), 'FL/a.png');
    assert.equal(resolve(two, '/data/2025-08-03/FL/a.png', 'x_parse.json'), '2025-08-03/FL/a.png');
  });

  it('among equals takes the one beside the JSON file, then the first path', () => {
    const equals = ['x/shots/a.png', 'y/shots/a.png', 'z/shots/a.png'];
    assert.equal(resolve(equals, 'shots/a.png', 'y/shots/q_parse.json'), 'y/shots/a.png');
    assert.equal(resolve(equals, 'shots/a.png', 'q_parse.json'), 'x/shots/a.png');
  });

  it("does not take another state's image for its name alone", () => {
    assert.equal(resolve(['PA/d.png'], '/data/FL/d.png'), undefined);
    assert.equal(resolve(['shots/d.png'], '/data/FL/d.png'), 'shots/d.png');
    assert.equal(resolve(['FL/d.png'], '/data/somewhere/d.png'), 'FL/d.png', 'beside the JSON file');
    assert.equal(resolve(['PA/d.png'], 'd.png'), 'PA/d.png', 'the source names no folder');
  });

  it('finds nothing for a name that no image has', () => {
    for (const source of ['FL/none.png', 'A.png', '', '/', '..', 'FL/'])
      assert.equal(resolve(tree, source), undefined, source);
  });

  it('matches names with accents however they are composed, and gives them as they are on disk', () => {
    assert.equal(resolve(['FL/E\u0301lan.png'], 'FL/\u00c9lan.png'), 'FL/E\u0301lan.png');
  });

  it('knows size and time, and how many images nobody asked for', () => {
    const index = indexOf(['a.png', 'b.png', 'c.png']);
    assert.deepEqual(index.resolve('x/b.png', 'j'), { path: 'b.png', size: 2, mtimeMs: 1001 });
    index.resolve('b.png', 'k');
    assert.deepEqual([index.count, index.orphans], [3, 2]);
  });

  it('gives only images of the tree, the best by the rule, for any tree and any source', () => {
    const segment = fc.constantFrom('a', 'b', 'x.png', 'y.png', 'shots', 'FL', 'PA', '..', '.');
    const source = fc
      .tuple(fc.array(segment, { maxLength: 5 }), fc.constantFrom('/', '\\'))
      .map(([all, slash]) => all.join(slash));
    const path = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'FL', 'PA'), { maxLength: 3 }), fc.constantFrom('x.png', 'y.png'))
      .map(([all, name]) => [...all, name].join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), source, path, (paths, wanted, json) => {
        const found = resolve(paths, wanted, json, '/a/b');
        const tail = (image: string): number => {
          const [a, b] = [wanted, `/a/b/${image}`].map((all) =>
            all
              .split(/[/\\]/)
              .filter((name) => !['', '.', '..'].includes(name))
              .reverse(),
          );
          const differs = b!.findIndex((name, i) => name !== a![i]);
          return differs < 0 ? b!.length : differs;
        };
        const longest = Math.max(0, ...paths.map(tail));
        if (found !== undefined) assert.ok(paths.includes(found) && tail(found) === longest);
        else assert.ok(longest < 2);
      }),
      { numRuns: 500 },
    );
  });

  it('finds every one of many', () => {
    const paths = Array.from({ length: 5000 }, (_, i) => `s${i % 50}/ü${i}/screenshot.png`);
    const index = indexOf(paths);
    for (const path of paths) assert.equal(index.resolve(`/far/${path}`, 'j')?.path, path);
    assert.equal(index.orphans, 0);
  });
});
