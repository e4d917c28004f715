import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { loadConfig } from '../../src/config.ts';
import { ERRORS } from '../../src/errors.ts';
import { PROBLEMS } from '../../src/gateway/problem.ts';
import { ALL_ROW_ERRORS } from '../../src/kinds/index.ts';
import { REMARK_CODES } from '../../src/messages/remarks.ts';
import { configVariables, projectFile } from './environment.ts';

const without = (names: readonly string[], text: string): string[] =>
  names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text));

describe('documentation', () => {
  it('explains every error code in docs/troubleshooting.md', () => {
    assert.deepEqual(
      without([...Object.keys(ERRORS), ...Object.keys(ALL_ROW_ERRORS)], projectFile('docs/troubleshooting.md')),
      [],
    );
  });

  it('explains every remark in docs/imports.md', () => {
    assert.deepEqual(without(REMARK_CODES, projectFile('docs/imports.md')), []);
  });

  it('has no table that a blank line cuts: each begins with its head', () => {
    const pages = readdirSync(new URL('../../docs/', import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`);
    for (const page of [...pages, 'README.md']) {
      const tables = projectFile(page).match(/(?:^\|.*\n?)+/gm) ?? [];
      assert.deepEqual(
        tables.filter((table) => !/^\|.*\n\|[-:| ]+\|?$/m.test(table.split('\n').slice(0, 2).join('\n'))),
        [],
        page,
      );
    }
  });

  it('names no error code that does not exist', () => {
    const known = new Set<string>([...Object.keys(ERRORS), ...Object.keys(ALL_ROW_ERRORS)]);
    const listed = [...projectFile('docs/troubleshooting.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
      ([, code]) => code as string,
    );
    assert.ok(listed.length >= known.size);
    assert.deepEqual(
      listed.filter((code) => !known.has(code)),
      [],
    );
  });

  it('explains every code of the gateway, and no other, in docs/gateway.md', () => {
    const known = new Set([...Object.keys(PROBLEMS), ...Object.keys(ERRORS)]);
    assert.deepEqual(without(Object.keys(PROBLEMS), projectFile('docs/gateway.md')), []);
    const listed = [...projectFile('docs/gateway.md').matchAll(/^\| [\d, ]+ \|((?: `[A-Z_]+`,?)+)/gm)].flatMap(
      ([, codes]) => codes!.match(/[A-Z_]+/g) ?? [],
    );
    assert.ok(listed.length >= Object.keys(PROBLEMS).length - 1);
    assert.deepEqual(
      listed.filter((code) => !known.has(code)),
      [],
    );
  });

  it('lists every environment variable in docs/deployment.md and .env.example', () => {
    const variables = configVariables();
    assert.ok(variables.includes('TEMPORAL_ADDRESS') && variables.includes('INTAKE_WINDOW'));
    assert.deepEqual(without(variables, projectFile('docs/deployment.md')), []);
    assert.deepEqual(without(variables, projectFile('.env.example')), []);
  });

  it('states the defaults that are in force', () => {
    const { chunkBytes, window, partitionRows } = loadConfig({});
    const defaults = { INTAKE_CHUNK_BYTES: chunkBytes, INTAKE_WINDOW: window, INTAKE_PARTITION_ROWS: partitionRows };
    for (const [name, value] of Object.entries(defaults)) {
      assert.match(projectFile('docs/deployment.md'), new RegExp(`^\\| \`${name}\` .* ${value} \\|$`, 'm'));
      assert.match(projectFile('.env.example'), new RegExp(`^#${name}=${value}$`, 'm'));
    }
  });

  it('links to files that exist', () => {
    const docs = readdirSync(new URL('../../docs/', import.meta.url)).filter((name) => name.endsWith('.md'));
    const pages = ['README.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)];
    for (const page of pages) {
      for (const [, target] of projectFile(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
        const path = new URL(target as string, `file:///${page}`).pathname.slice(1);
        assert.doesNotThrow(() => projectFile(path), `${page} links to ${path}`);
      }
    }
  });
});
