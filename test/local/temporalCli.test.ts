import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findTemporalCli } from '../../src/local/temporalCli.ts';

describe("Temporal's CLI", () => {
  let root: string;
  const steps: string[] = [];
  before(() => (root = mkdtempSync(join(tmpdir(), 'intake-temporal-'))));
  after(() => rmSync(root, { recursive: true, force: true }));

  const folder = (name: string): string => {
    mkdirSync(join(root, name), { recursive: true });
    return join(root, name);
  };
  const program = (path: string, says: string): string => {
    writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const find = (...path: string[]) =>
    findTemporalCli(join(root, 'stack'), (line) => steps.push(line), {
      PATH: path.join(delimiter),
      XDG_CACHE_HOME: folder('cache'),
    });

  it('is taken from PATH only where a file of that name tells a supported version', async () => {
    const checkout = folder('src');
    mkdirSync(join(checkout, 'temporal'));
    const old = program(join(folder('old'), 'temporal'), 'temporal version 1.4.0 (Server 1.28.0, UI 2.37.4)');
    const other = program(join(folder('other'), 'temporal'), 'usage: temporal FILE');
    const right = program(join(folder('right'), 'temporal'), 'temporal version 1.12.0 (Server 1.33.0, UI 2.60.0)');
    assert.equal(await find(checkout, folder('old'), folder('other'), folder('right')), right);
    assert.deepEqual(steps, [
      `${old} is not used: version 1.4.0, 1.9.1 is wanted`,
      `${other} is not used: it tells no version, 1.9.1 is wanted`,
    ]);
  });

  it('is the cached copy where PATH has none that can be used', async () => {
    const cached = join(folder(join('cache', 'intake')), `temporal-1.9.1-${process.platform}-${process.arch}`);
    program(cached, 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)');
    assert.equal(await find(join(root, 'src'), join(root, 'old')), cached);
  });
});
