import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../../src/workflows/bundle.ts';
import { TEST_CACHE } from '../support/stack.ts';

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.binpb.gz'))
  .sort();

describe('workflows replay what released versions did', function () {
  this.timeout(120_000);
  /** By bundle and name. */
  const failures = { plain: new Map<string, string>(), traced: new Map<string, string>() };
  // A worker may be given traces while imports run: what traces add stands beside all workflows of the newest version.
  const newest = files.filter((name) => dirname(name) === dirname(files.at(-1)!));

  before(async () => {
    const histories = files.map((name) => ({
      workflowId: name,
      history: proto.temporal.api.history.v1.History.decode(gunzipSync(readFileSync(join(folder, name)))),
    }));
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const sinks = { exporter: { export: { fn: () => undefined } } };
    for (const [bundle, found] of Object.entries(failures)) {
      const code = { codePath: workflowBundle(TEST_CACHE, bundle === 'traced') };
      const replayed = Worker.runReplayHistories(
        { workflowBundle: code, sinks },
        bundle === 'traced' ? histories.filter(({ workflowId }) => newest.includes(workflowId)) : histories,
      );
      for await (const { workflowId, error } of replayed) found.set(workflowId, error?.message ?? '');
    }
  });

  it('has histories to replay', () => assert.ok(files.length >= 7));

  for (const name of files) it(name, () => assert.equal(failures.plain.get(name), ''));
  for (const name of newest) it(`${name}, traced`, () => assert.equal(failures.traced.get(name), ''));
});
