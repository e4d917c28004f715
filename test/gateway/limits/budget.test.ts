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

  it('is not taken by the rows of the same bytes again, which are read when they are wanted', async () => {
    const reader = createBatchReader();
    const body = Buffer.from(JSON.stringify(batchOf('A', rowsOf(3))));
    const [first, again] = [await reader.read('A', body, 'dmy'), await reader.read('A', body, 'dmy')];
    assert.deepEqual({ ...again, rows: await again.rows() }, { ...first, rows: await first.rows() });
    assert.deepEqual([again.rowCount, again.checksum], [3, parseBatch(body, 'dmy').checksum]);
    await assert.rejects(reader.read('B', body, 'dmy'), { code: 'UNAUTHORIZED' });
    const other = Buffer.from(JSON.stringify(batchOf('A', rowsOf(4))));
    assert.equal((await reader.read('A', other, 'dmy')).rowCount, 4);
    await reader.close();
  });

  it('a body that is much to parse stops nobody: it is read elsewhere, one of a tenant at a time, with the same answer', async () => {
    const reader = createBatchReader();
    // 300,000 names that no other row has: more than a second of work.
    const much = Buffer.from(
      JSON.stringify(
        batchOf(
          'A',
          rowsOf(5000).map((row, i) => ({
            ...row,
            ...Object.fromEntries(Array.from({ length: 60 }, (_, k) => [`k${(i * 60 + k).toString(36)}`, 1])),
          })),
          { correlation_id: '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad001' },
        ),
      ),
    );
    const bad = Buffer.from(JSON.stringify(batchOf('A', rowsOf(5000, 0, { residential: 'x' }))));
    const plain = Buffer.from(JSON.stringify(batchOf('B', rowsOf(2000))));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const order: string[] = [];
    const ids: string[] = [];
    const [first] = await Promise.all([
      reader.read('A', much, 'dmy', (id) => ids.push(id)).finally(() => order.push('A')),
      assert.rejects(reader.read('A', bad, 'dmy'), { code: 'INVALID_ROWS' }).finally(() => order.push('A bad')),
      reader.read('B', plain, 'dmy').finally(() => order.push('B')),
    ]).finally(() => clearInterval(timer));
    assert.deepEqual(order, ['B', 'A', 'A bad']);
    assert.ok(turns > 20, `${turns} turns of the event loop meanwhile`);
    assert.deepEqual([first.rowCount, first.checksum, ids.length], [5000, parseBatch(much, 'dmy').checksum, 1]);
    await reader.close();
  });
});
