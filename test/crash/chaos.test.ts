import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHAOS = fileURLToPath(new URL('../../bench/chaos.ts', import.meta.url));
/** Of faults; with start, rest and count about twice as long. INTAKE_TEST_CHAOS_MINUTES asks for more. */
const MINUTES = process.env['INTAKE_TEST_CHAOS_MINUTES'] ?? '0.5';

describe('imports of every kind while the stack is killed and stopped at random', function () {
  this.timeout((Number(MINUTES) + 14) * 60_000);

  it('all end, and no row is lost, doubled or left behind', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CHAOS, '--minutes', MINUTES], {
      maxBuffer: 2 ** 24,
    }).catch((error: { stdout?: string; message: string }) => assert.fail(error.stdout || error.message));
    assert.match(stdout, /^\d+ imports, 0 faults found$/m);
  });
});
