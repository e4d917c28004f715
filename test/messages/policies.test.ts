import { FUNCTIONS } from '../../src/database/functions.ts';
import { strict as assert } from 'node:assert';
import {
  delayAfter,
  limitsOf,
  policyOf,
  POLICIES,
  SERVER_SILENT_MS,
  STATEMENT_LIMITS,
  type ActivityName,
} from '../../src/messages/policies.ts';

describe('the limits of activities and their statements', () => {
  it('the statements of an activity end before it is given up, so that attempts do not overlap without end', () => {
    for (const name of Object.keys(POLICIES) as ActivityName[]) {
      const { startToClose, heartbeat, calls, scheduleToClose } = policyOf(name);
      const statements = calls.reduce((sum, fn) => sum + limitsOf(fn).statement + SERVER_SILENT_MS, 0);
      assert.ok(startToClose > statements, `${name}: ${startToClose} ms for statements of ${statements} ms`);
      assert.ok(heartbeat < startToClose, name);
      assert.ok(scheduleToClose === undefined || calls.length === 0, name);
    }
  });

  it('are of SQL functions that there are', () => {
    const named = [
      ...Object.values(POLICIES).flatMap(({ calls }) => calls as readonly string[]),
      ...Object.keys(STATEMENT_LIMITS),
    ];
    assert.deepEqual(
      named.filter((fn) => !(fn in FUNCTIONS)),
      [],
    );
  });

  it('a lock is waited for more shortly than its statement may run', () => {
    for (const fn of new Set(Object.values(POLICIES).flatMap(({ calls }) => calls as readonly string[])))
      assert.ok(limitsOf(fn).lock < limitsOf(fn).statement, fn);
  });

  it('delays double up to their longest; the random half spreads those who wait for the same server', () => {
    const delays = (backOff: Parameters<typeof delayAfter>[0], random: number): number[] =>
      [1, 2, 3, 7, 100].map((attempt) => delayAfter(backOff, attempt, () => random));
    assert.deepEqual(delays(POLICIES.postBatch.backOff, 0), [1000, 2000, 4000, 16_000, 16_000]);
    assert.deepEqual(delays(POLICIES.claim.backOff, 0), [250, 500, 1000, 15_000, 15_000]);
    assert.deepEqual(delays(POLICIES.claim.backOff, 1), [500, 1000, 2000, 30_000, 30_000]);
  });
});
