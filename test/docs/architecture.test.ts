import { strict as assert } from 'node:assert';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { projectFile } from './environment.ts';

interface Import {
  readonly from: string;
  readonly to: string;
}

/** Files that may lie in src itself; all folders may import the last of them. */
const PROGRAMS = ['client.ts', 'index.ts', 'worker.ts'];
const UNDER_ALL = ['config.ts', 'errors.ts'];

const files = globSync('src/**/*.ts').map((path) => path.replaceAll('\\', '/').slice('src/'.length));
const imports = files.flatMap(importsOf);
const folderOf = (path: string): string => (path.includes('/') ? posix.dirname(path) : path);
const roomOf = (path: string): string => path.split('/')[0]!;

/** Imports of types and `import()` count, too. */
function importsOf(from: string): Import[] {
  const tree = ts.createSourceFile(from, readFileSync(`src/${from}`, 'utf8'), ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const target =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
    if (target && ts.isStringLiteral(target) && target.text.startsWith('.'))
      found.push({ from, to: posix.join(posix.dirname(from), target.text) });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found.filter(({ to }) => files.includes(to));
}

/** Groups whose members reach each other; a member is a file's name, or what `name` makes of it. */
function circles(name: (path: string) => string): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports)
    if (name(from) !== name(to)) next.set(name(from), (next.get(name(from)) ?? new Set()).add(name(to)));
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const waiting = [start];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const fresh = [...(next.get(at) ?? [])].filter((to) => !seen.has(to));
      for (const to of fresh) seen.add(to);
      waiting.push(...fresh);
    }
    return seen;
  };
  const circleOf = (node: string): string[] =>
    [...reach(node)].filter((other) => other === node || reach(other).has(node)).sort();
  return [...next.keys()].map(circleOf).filter((circle, i) => circle[0] === [...next.keys()][i]);
}

describe('the folders of src', () => {
  it('hold no circle of files, nor of folders', () => {
    assert.deepEqual(
      circles((path) => path),
      [],
    );
    assert.deepEqual(circles(roomOf), []);
    // A file that lies loose beside sub-folders is what they share: it stands for itself.
    assert.deepEqual(
      circles((path) => path.split('/').slice(0, 2).join('/')),
      [],
    );
  });

  it('import downwards only', async () => {
    const { FLOORS } = (await import(new URL('../../eslint.config.js', import.meta.url).href)) as {
      FLOORS: string[][];
    };
    const floorOf = (path: string): number => FLOORS.findIndex((floor) => floor.includes(roomOf(path)));
    const wrong = imports.filter(({ from, to }) => {
      if (PROGRAMS.includes(from) || UNDER_ALL.includes(to) || roomOf(from) === roomOf(to)) return false;
      if (to === 'worker.ts') return roomOf(from) !== 'cli';
      return floorOf(to) < 0 || floorOf(to) <= floorOf(from);
    });
    assert.deepEqual(wrong, []);
  });

  it('are those that docs/architecture.md lists, floor by floor, and each begins with what it is for', async () => {
    const { FLOORS } = (await import(new URL('../../eslint.config.js', import.meta.url).href)) as {
      FLOORS: string[][];
    };
    const rows = [
      ...projectFile('docs/architecture.md').matchAll(/^\| (\d+) \| `src\/(.+?)\/` \| `(.+?)` \| (.+) \|$/gm),
    ];
    assert.deepEqual(
      rows.map(([, , folder]) => folder!).sort(),
      [...new Set(files.map(folderOf))].filter((folder) => !folder.endsWith('.ts')).sort(),
    );
    for (const [, floor, folder = '', main = '', purpose = ''] of rows) {
      assert.equal(
        Number(floor) - 1,
        FLOORS.findIndex((rooms) => rooms.includes(roomOf(folder))),
        folder,
      );
      const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(projectFile(`src/${folder}/${main}`)) ?? [];
      const words = comment
        .replaceAll(/\n \* ?/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim();
      assert.ok(
        words.startsWith(`${folder}/: ${purpose}`),
        `src/${folder}/${main} begins with: ${words.slice(0, 120)}`,
      );
    }
  });

  it('lie beside the programs and what lies under all, and nothing else', () => {
    assert.deepEqual(files.filter((path) => !path.includes('/')).sort(), [...PROGRAMS, ...UNDER_ALL].sort());
  });
});

describe('docs/decisions', () => {
  it('is an index of its pages, the newest first, each with its reason and what was dropped', () => {
    const pages = readdirSync(new URL('../../docs/decisions/', import.meta.url)).filter((name) => name !== 'README.md');
    const listed = [...projectFile('docs/decisions/README.md').matchAll(/^- \[\d+\]\((.+?)\) (.+)$/gm)];
    assert.deepEqual(
      listed.map(([, page]) => page),
      pages.sort().reverse(),
    );
    for (const [, page, title] of listed) {
      const text = projectFile(`docs/decisions/${page}`);
      assert.ok(text.startsWith(`# ${title}\n\n**Why.** `) && text.includes('\n\n**Dropped.** '), page);
    }
  });
});
