import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';

const PROGRAM = `
  const { createOutput } = await import(${JSON.stringify(new URL('../../src/cli/output.ts', import.meta.url).href)});
  async function* rows() {
    for (let i = 0; ; i++) {
      if (i === Number(process.argv[1])) throw new Error('the database went away');
      yield { i, text: 'x'.repeat(1000) };
    }
  }
  await createOutput({ json: true }).stream({ status: 'completed', rows: rows() });`;

async function run(
  rows: number,
  read: (stdout: NodeJS.ReadableStream) => void,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, String(rows)]);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  read(child.stdout);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

describe('a streamed document', function () {
  this.timeout(20_000);

  it('that breaks off ends with one line on stderr, exit code 1, and nothing after it on stdout', async () => {
    let stdout = '';
    const { code, stderr } = await run(200, (stream) => stream.on('data', (text) => (stdout += text)));
    assert.deepEqual([code, stderr.split('\n').length, stderr.split(':')[0]], [1, 2, 'INTERNAL']);
    assert.ok(stdout.startsWith('{"status":"completed","rows":[{"i":0,') && stdout.length > 60_000);
    assert.throws(() => JSON.parse(stdout));
    assert.doesNotMatch(stdout, /"error"/);
  });

  it('whose reader has seen enough ends quietly', async () => {
    const { code, stderr } = await run(1e9, (stream) =>
      stream.once('data', () => (stream as unknown as { destroy(): void }).destroy()),
    );
    assert.deepEqual([code, stderr], [0, '']);
  });
});
