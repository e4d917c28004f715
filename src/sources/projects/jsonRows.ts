/** Rows of a JSON file of any size, one at a time: lists, objects with `rows`, single objects, one document after the other. */
import { Tokenizer, TokenParser } from '@streamparser/json';
import { IntakeError } from '../../errors.ts';
import { exactNumber } from '../../values/json.ts';

/** Longer than any row that the gateway takes. */
const LONGEST = 1024 * 1024;
const BLOCK = 16 * 1024;

/** Whether a file that begins like this is JSON. */
export const looksLikeJson = (head: Buffer): boolean => /^\ufeff?\s*[[{]/.test(head.toString('utf8', 0, 4096));

/** Numbers that a double would change keep their digits. */
class ExactTokenizer extends Tokenizer {
  protected override parseNumber(digits: string): number {
    return exactNumber(Number(digits), digits) as number;
  }
}

/**
 * Everything in the file is a row, stands around rows (what an object has beside its `rows`), or is refused.
 * @param blocks the whole file, in order.
 * @throws IntakeError INVALID_ROW naming the row.
 */
export async function* jsonRows(blocks: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  const found: unknown[] = [];
  let [row, waiting] = [1, 0];
  let wraps = false;
  const tokenizer = new ExactTokenizer({ separator: '' });
  const parser = new TokenParser({ paths: ['$', '$.*', '$.rows.*'], separator: '', keepStack: true });
  tokenizer.onToken = parser.write.bind(parser);
  parser.onValue = ({ value, key, parent, stack: { length: depth } }) => {
    if (Array.isArray(parent)) {
      found.push(value);
      parent.length = 0; // it is not held
    } else if (depth === 1 && key === 'rows' && Array.isArray(value)) {
      wraps = true;
    } else if (depth === 0) {
      if (!wraps && !Array.isArray(value)) found.push(value);
      wraps = false;
    }
  };
  const parse = (step: () => void, why = 'it is not JSON in UTF-8'): void => {
    try {
      step();
    } catch {
      throw new IntakeError('INVALID_ROW', `Row ${row + found.length} cannot be read: ${why}`); // the parser's own words quote the row
    }
  };
  for await (const block of blocks) {
    for (let at = 0; at < block.length; at += BLOCK) {
      const piece = block.subarray(at, at + BLOCK);
      parse(() => tokenizer.write(piece));
      waiting = found.length > 0 ? 0 : waiting + piece.length;
      if (waiting > LONGEST) throw new IntakeError('INVALID_ROW', `Row ${row} cannot be read: it is larger than 1 MB`);
      row += found.length;
      yield* found.splice(0);
    }
  }
  parse(() => {
    tokenizer.end();
    parser.end();
  }, 'the file ends within it');
  yield* found.splice(0);
}
