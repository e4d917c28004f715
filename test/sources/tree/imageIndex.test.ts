import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ImageIndex } from '../../../src/sources/tree/imageIndex.ts';
import { KeyIndex } from '../../../src/sources/tree/keyIndex.ts';

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
): string | undefined => {
  const found = indexOf(paths, root).resolve(source, json);
  return found.error === undefined ? found.image.path : found.error === 'IMAGE_AMBIGUOUS' ? found.error : undefined;
};

describe('ImageIndex', () => {
  const tree = ['FL/a.png', 'PA/a.png', 'old/FL/a.png', 'old/FL/b.png', 'c.png'];

  it('takes the image with the longest tail in common, of paths from anywhere', () => {
    assert.equal(resolve(tree, '/home/someone/data/PA/a.png'), 'PA/a.png');
    assert.equal(resolve(tree, 'data/old/FL/a.png'), 'old/FL/a.png');
    assert.equal(resolve(tree, 'C:\\scrape\\FL\\b.png', 'old/FL/x_parse.json'), 'old/FL/b.png');
    assert.equal(resolve(tree, '../../PA/./a.png'), 'PA/a.png');
    assert.equal(resolve(['FL/x86_01.png', 'FL/x41.png'], 'D:\\x64\\FL\\x86_01.png'), 'FL/x86_01.png');
    assert.equal(resolve(['FL/x86_01.png', 'FL/x41.png'], '\u201cC:\\FL\\x41.png\u201d'), 'FL/x41.png');
    assert.equal(resolve(tree, '/elsewhere/c.png'), 'c.png');
  });

  it('counts the folders of the root itself', () => {
    const two = ['FL/a.png', '2025-08-03/FL/a.png'];
    assert.equal(resolve(two, '/data/2025-08-04/FL/a.png', 'x_parse.json'), 'FL/a.png');
    assert.equal(resolve(two, '/data/2025-08-03/FL/a.png', 'x_parse.json'), '2025-08-03/FL/a.png');
  });

  it('among equals takes the one beside the JSON file or below its folder, else none', () => {
    const equals = ['x/shots/a.png', 'y/shots/a.png', 'z/shots/a.png'];
    assert.equal(resolve(equals, 'shots/a.png', 'y/shots/q_parse.json'), 'y/shots/a.png');
    assert.equal(resolve(equals, '../shots/a.png', 'y/json/q_parse.json'), 'y/shots/a.png');
    assert.equal(resolve(equals, 'shots/a.png', 'q_parse.json'), 'IMAGE_AMBIGUOUS');
    assert.deepEqual(indexOf(equals).resolve('shots/a.png', 'q_parse.json'), {
      error: 'IMAGE_AMBIGUOUS',
      paths: ['z/shots/a.png', 'y/shots/a.png'],
    });
  });

  it('takes no image that the recorded path contradicts: another state, date, folder', () => {
    for (const [image, source, json, root] of [
      ['PA/d.png', '/data/FL/d.png', 'FL/x_parse.json'],
      ['d.png', '/data/PA/d.png', 'x_parse.json', '/srv/FL'],
      ['2025-08-04/FL/a.png', '/data/2025-08-03/FL/a.png', '2025-08-04/FL/x_parse.json'],
      ['run_20250804/FL/a.png', 'C:\\data\\run_20250803\\FL\\a.png', 'run_20250804/FL/x_parse.json'],
      ['FL/Ashton/shot.png', '/data/FL/Belmar/shot.png', 'FL/Ashton/x_parse.json'],
      ['FL/Ashton/shot.png', '/data/FL/Belmar/shot.png', 'FL/Belmar/x_parse.json'],
      ['FL/shot.png', '/data/FL/Belmar/shot.png', 'FL/Belmar/x_parse.json'],
      ['shot.png', '/data/FL/shot.png', 'FL/x_parse.json'],
      ['x/run1/shot.png', '/data/y/run1/shot.png', 'y/run1/x_parse.json'],
      ['shots/d.png', '/data/FL/d.png', 'FL/x_parse.json'],
    ] as const)
      assert.equal(resolve([image], source, json, root), undefined, `${source} is not ${image}`);
  });

  it('takes what lies elsewhere than it did when nothing contradicts', () => {
    assert.equal(resolve(['FL/d.png'], '/data/somewhere/d.png'), 'FL/d.png', 'beside the JSON file');
    assert.equal(resolve(['PA/d.png'], 'd.png'), 'PA/d.png', 'the source names no folder');
    assert.equal(
      resolve(['day1/FL/img/a.png'], '/data/FL/img/a.png', 'day1/FL/json/x_parse.json'),
      'day1/FL/img/a.png',
    );
    assert.equal(resolve(['img/FL/a.png'], '/data/img/FL/a.png', 'json/FL/x_parse.json'), 'img/FL/a.png');
    assert.equal(
      resolve(['FL/a.png'], '/data/2025-08-03/FL/a.png', 'FL/x_parse.json'),
      'FL/a.png',
      'the root was named anew',
    );
  });

  it('takes the only one that differs by case, escapes, address, quotes or drive, and the exact one before it', () => {
    for (const source of [
      '/data/fl/SHOT 5.PNG',
      'file:///C:/data/FL/Shot%205.png',
      'https://files.example.com/data/FL/Shot%205.png?token=abc#x',
      '"FL/Shot 5.png"',
      "'FL/Shot 5.png'",
      'C:Shot 5.png',
      '/data/FL/Shot%205.png',
    ])
      assert.equal(resolve(['FL/Shot 5.png'], source), 'FL/Shot 5.png', source);
    const two = ['FL/Shot.png', 'FL/shot.png'];
    assert.equal(resolve(two, 'FL/shot.png'), 'FL/shot.png');
    assert.equal(resolve(two, 'FL/SHOT.png'), 'IMAGE_AMBIGUOUS');
    assert.equal(resolve(['FL/100%.png', 'FL/a%20b.png', 'FL/a b.png'], 'FL/a%20b.png'), 'FL/a%20b.png');
    assert.equal(resolve(['FL/100%.png'], 'FL/100%.png'), 'FL/100%.png');
    assert.equal(resolve(['FL/what?.png'], 'FL/what?.png'), 'FL/what?.png');
  });

  it('names the nearest image where it takes none', () => {
    const nearest = (paths: string[], source: string, json = 'FL/x_parse.json') => {
      const found = indexOf(paths).resolve(source, json);
      return found.error === 'IMAGE_MISSING' ? found.nearest : found;
    };
    assert.equal(nearest(['PA/d.png'], '/data/FL/d.png'), 'PA/d.png');
    assert.equal(nearest(['FL/d.bmp', 'PA/d.png'], '/data/FL/d.png'), 'FL/d.bmp');
    assert.equal(nearest(['FL/other.png'], '/data/FL/d.png'), undefined);
  });

  it('finds names that are not UTF-8 by what a person would have written', () => {
    assert.equal(resolve(['FL/Caf\\xE9_01.png'], '/data/FL/Café_01.png'), 'FL/Caf\\xE9_01.png');
  });

  it('asks the folders of the JSON file nothing about images that lie elsewhere', () => {
    const found = indexOf(['a.png', 'FL/b.png']);
    assert.equal(found.resolve('/data/FL/a.png').error, undefined);
    assert.equal(found.resolve('/data/FL/b.png').error, undefined);
  });

  it('finds nothing for a name that no image has', () => {
    for (const source of ['FL/none.png', 'D.png', '', '/', '..', 'FL/'])
      assert.equal(resolve(tree, source), undefined, source);
  });

  it('matches names with accents however they are composed, and gives them as they are on disk', () => {
    assert.equal(resolve(['FL/E\u0301lan.png'], 'FL/\u00c9lan.png'), 'FL/E\u0301lan.png');
  });

  it('knows size and time, and how many images nobody asked for', () => {
    const index = indexOf(['a.png', 'b.png', 'c.png']);
    assert.deepEqual(index.resolve('x/b.png', 'j'), { image: { path: 'b.png', size: 2, mtimeMs: 1001 } });
    index.resolve('b.png', 'k');
    assert.deepEqual([index.count, index.orphans], [3, 2]);
  });

  it('gives only images of the tree that end as the source does, for any tree and any source', () => {
    const segment = fc.constantFrom('a', 'b', 'x.png', 'y.png', 'shots', 'FL', 'PA', '..', '.');
    const source = fc
      .tuple(fc.array(segment, { maxLength: 5 }), fc.constantFrom('/', '\\'))
      .map(([all, slash]) => all.join(slash));
    const path = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'FL', 'PA'), { maxLength: 3 }), fc.constantFrom('x.png', 'y.png'))
      .map(([all, name]) => [...all, name].join('/'));
    const segments = (path: string): string[] => path.split(/[/\\]/).filter((name) => !['', '.', '..'].includes(name));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), source, path, (paths, wanted, json) => {
        const found = indexOf(paths, '/a/b').resolve(wanted, json);
        const own = segments(wanted);
        if (found.error === undefined) {
          const at = segments(found.image.path);
          assert.ok(paths.includes(found.image.path) && at.at(-1) === own.at(-1));
          // A place that both agree on whole is never passed over.
          const whole = own.join('/');
          if (paths.includes(whole)) assert.ok(`/${found.image.path}`.endsWith(`/${whole}`));
        } else if (found.error === 'IMAGE_AMBIGUOUS') {
          assert.equal(new Set(found.paths).size, 2);
          for (const path of found.paths) assert.ok(paths.includes(path) && `/${path}`.endsWith(`/${own.join('/')}`));
        } else {
          assert.ok(!paths.includes(own.join('/')));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('answers for many images of one name and folder in one look each', () => {
    const paths = Array.from({ length: 50_000 }, (_, i) => `Q${i}/run1/screenshot.png`);
    const index = indexOf(paths);
    const find = KeyIndex.prototype.find;
    let looked = 0;
    KeyIndex.prototype.find = function* (key) {
      for (const found of find.call(this, key)) {
        looked++;
        yield found;
      }
    };
    try {
      for (const path of paths) assert.equal(index.resolve(`/far/${path}`, `${path}_parse.json`).error, undefined);
      assert.ok(looked < paths.length * 3, `${looked} looked at`);
      looked = 0;
      for (let i = 0; i < 200; i++) {
        assert.equal(index.resolve('run2/screenshot.png', 'j').error, 'IMAGE_MISSING');
        assert.equal(index.resolve('screenshot.png', 'j').error, 'IMAGE_AMBIGUOUS');
        assert.equal(index.resolve('SCREENSHOT.PNG', 'j').error, 'IMAGE_AMBIGUOUS');
      }
      assert.ok(looked < 200 * 3 * 300, `${looked} looked at`);
    } finally {
      KeyIndex.prototype.find = find;
    }
  });

  it('finds every one of many', () => {
    const paths = Array.from({ length: 5000 }, (_, i) => `s${i % 50}/ü${i}/screenshot.png`);
    const index = indexOf(paths);
    for (const path of paths)
      assert.equal((index.resolve(`/far/${path}`, 'j') as { image: { path: string } }).image.path, path);
    assert.equal(index.orphans, 0);
  });
});
