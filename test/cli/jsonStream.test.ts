import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { jsonText } from '../../src/cli/jsonStream.ts';

async function textOf(value: unknown, indent?: number): Promise<string> {
  let text = '';
  for await (const piece of jsonText(value, indent)) text += piece;
  return text;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

describe('JSON in pieces', () => {
  it('is the text of JSON.stringify, indented or not, with a list wherever an iterable stands', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.array(fc.jsonValue()),
        fc.array(fc.jsonValue()),
        fc.constantFrom(0, 2, 4),
        async (value, first, second, indent) => {
          const whole = { value, first, metadata: { second, 'a "name"\n': value, left: undefined } };
          const streamed = {
            value,
            first: each(first),
            metadata: { second: each(second), 'a "name"\n': value, left: undefined },
          };
          assert.equal(await textOf(streamed, indent), JSON.stringify(whole, undefined, indent));
          assert.equal(await textOf(each(first), indent), JSON.stringify(first, undefined, indent));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('asks for items only as its text is read, and keeps none', async () => {
    let asked = 0;
    async function* items(): AsyncGenerator<string> {
      for (;;) {
        asked++;
        yield 'x'.repeat(1000);
      }
    }
    const pieces = jsonText({ items: items() });
    await pieces.next();
    const after = asked;
    assert.ok(after > 10 && after < 200, String(after));
    await pieces.next();
    assert.ok(asked <= 2 * after + 1);
    await pieces.return(undefined);
  });
});
