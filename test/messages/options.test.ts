import { strict as assert } from 'node:assert';
import { decidingOptions, differingOptions, rowOptions } from '../../src/messages/options.ts';
import type { ImportInput } from '../../src/messages/imports.ts';

describe('the options that decide what an import does', () => {
  const input = (options: object) =>
    ({
      filename: 'a.csv',
      batchName: 'a',
      sourceReference: 'a',
      options: { map: {}, skipJobs: false, ...options },
    }) as ImportInput;

  it('are the same whether a usual one is given or left away', () => {
    const [said, unsaid] = [input({ match: 'names', onConflict: 'skip', skipJobs: false }), input({})];
    assert.equal(differingOptions(decidingOptions(said), decidingOptions(unsaid)), '');
    assert.deepEqual(rowOptions(said), rowOptions(unsaid));
  });

  it('differ by any other, in words', () => {
    const other = input({ match: 'contact', onConflict: 'update', headerRow: 2 });
    assert.equal(
      differingOptions(decidingOptions(other), decidingOptions(input({}))),
      '--header-row 2 there, not given here; --match contact there, not given here; --on-conflict update there, not given here',
    );
  });
});
