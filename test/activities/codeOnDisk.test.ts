import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isCodeReplaced } from '../../src/activities/codeOnDisk.ts';

describe('the program on disk', () => {
  it('counts as replaced once a file of it is written, whatever its time says, or it is gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'intake-code-'));
    mkdirSync(join(folder, 'values'));
    const file = join(folder, 'values', 'key.ts');
    writeFileSync(file, 'one');
    await sleep(20);
    const began = Date.now();
    assert.equal(isCodeReplaced(folder, began), false);
    await sleep(20);
    writeFileSync(file, 'two');
    utimesSync(file, new Date(0), new Date(0));
    assert.equal(isCodeReplaced(folder, began), true);
    rmSync(folder, { recursive: true });
    assert.equal(isCodeReplaced(folder, began), true);
  });
});
