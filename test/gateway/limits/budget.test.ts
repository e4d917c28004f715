import { strict as assert } from 'node:assert';
import { setImmediate as turn } from 'node:timers/promises';
import { createByteBudget, type Holding } from '../../../src/gateway/limits/budget.ts';
import { parseBatch } from '../../../src/gateway/routes/batch.ts';
import { createBatchReader } from '../../../src/gateway/routes/sameBody.ts';
import { batchOf, rowsOf } from '../place.ts';

describe('memory for bodies', () => {
  /** Whether a promise is fulfilled by now. */
  const isDone = async (promise: Promise<unknown>): Promise<boolean> => {
    await turn();
    return Promise.race([promise.then(() => true), turn(false)]);
  };

  it('is shared: half of it at most to one tenant', async () => {
    const budget = createByteBudget(100, 20);
    await budget.hold('A').take(50);
    const [waits, favoured] = [budget.hold('A'), budget.hold('A')];
    await favoured.take(1); // one goes on, lest all wait for each other
    await assert.rejects(waits.take(1), { code: 'GATEWAY_BUSY', retryAfter: 2 });
    await budget.hold('B').take(49);
    await assert.rejects(budget.hold('C').take(1), { code: 'GATEWAY_BUSY' });
  });

  it('is waited for, and given in the order of asking', async () => {
    const budget = createByteBudget(100, 10_000);
    const [first, ...others] = Array.from({ length: 4 }, () => budget.hold('A')) as [
      Holding,
      Holding,
      Holding,
      Holding,
    ];
    await first.take(60); // favoured
    const taken = others.map((holding) => holding.take(30));
    const done = (): Promise<boolean[]> => Promise.all(taken.map(isDone));
    assert.deepEqual(await done(), [false, false, false]);
    first.release();
    assert.deepEqual(await done(), [true, true, false]); // the second is favoured now
    others[1].release();
    assert.deepEqual(await done(), [true, true, true]);
    for (const holding of others) holding.release();
    await budget.hold('A').take(50);
  });

  it('lets bodies end one after the other when all together are too large', async () => {
    const budget = createByteBudget(40, 10_000);
    let ended = 0;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const holding = budget.hold('A');
        for (let i = 0; i < 10; i++) {
          await holding.take(1);
          await turn();
        }
        holding.release();
        ended++;
      }),
    );
    assert.equal(ended, 10);
  });

  it('is not taken by the rows of the same bytes again, which are read when they are wanted', () => {
    const reader = createBatchReader();
    const body = Buffer.from(JSON.stringify(batchOf('A', rowsOf(3))));
    const [first, again] = [reader.read('A', body, 'dmy'), reader.read('A', body, 'dmy')];
    assert.deepEqual({ ...again, rows: again.rows() }, { ...first, rows: first.rows() });
    assert.deepEqual([again.rowCount, again.checksum], [3, parseBatch(body, 'dmy').checksum]);
    assert.equal(first.rows(), first.rows());
    assert.notEqual(again.rows(), again.rows());
    assert.throws(() => reader.read('B', body, 'dmy'), { code: 'UNAUTHORIZED' });
    const other = Buffer.from(JSON.stringify(batchOf('A', rowsOf(4))));
    assert.equal(reader.read('A', other, 'dmy').rowCount, 4);
  });
});
