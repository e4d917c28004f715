import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INTAKE = fileURLToPath(new URL('../../bin/intake.mjs', import.meta.url));

describe('intake', function () {
  this.timeout(30_000);
  const said = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [INTAKE, ...args])).stdout.split('\n')[0]!;

  it('answers the words that people try first, with exit code 0', async () => {
    assert.match(await said(), /^Usage: intake /);
    assert.equal(await said('help'), await said('--help'));
    assert.match(await said('help', 'import'), /^Usage: intake import /);
    for (const words of ['-v', 'version', '--version']) assert.match(await said(words), /^\d+\.\d+\.\d+$/);
  });
});
