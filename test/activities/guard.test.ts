import { strict as assert } from 'node:assert';
import { MockActivityEnvironment } from '@temporalio/testing';
import { guarded } from '../../src/activities/guard.ts';
import { createLogger } from '../../src/observability/log.ts';
import { noMetrics } from '../../src/observability/metrics.ts';

describe('an activity that fails', () => {
  const failWith = async (error: object) => {
    const { hash } = guarded(
      { hash: () => Promise.reject(Object.assign(new Error('private'), error)) },
      createLogger('silent'),
      noMetrics,
    );
    const failure = (await new MockActivityEnvironment().run(hash).catch((cause: unknown) => cause)) as {
      type: string;
      nonRetryable: boolean;
      message: string;
    };
    assert.doesNotMatch(failure.message, /private/);
    return [failure.type, failure.nonRetryable];
  };

  it('is tried until its work folder can be used, also where that is read-only', async () => {
    for (const code of ['ENOSPC', 'EROFS', 'EACCES'])
      assert.deepEqual(await failWith({ code }), ['DISK_UNAVAILABLE', false]);
    assert.deepEqual(await failWith({ code: 'ENOENT', syscall: 'mkdir' }), ['DISK_UNAVAILABLE', false]); // as Node says it
    assert.deepEqual(await failWith({ code: 'ENOENT', syscall: 'open' }), ['INTERNAL', false]);
  });
});
