import { IntakeError } from '../../errors.ts';
import { decode } from './encoding.ts';
import type { Encoding } from './encoding.ts';

export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** `lf` stands for `\n` and `\r\n`, `cr` for a lone `\r`. */
export type Newline = 'lf' | 'cr';

export interface Dialect {
  readonly delimiter: Delimiter;
  readonly newline: Newline;
}

/** Records that are compared to find the delimiter. */
const SAMPLE_RECORDS = 50;

const DELIMITER_NAMES: Record<string, Delimiter> = {
  ',': ',',
  comma: ',',
  ';': ';',
  semicolon: ';',
  '\t': '\t',
  '\\t': '\t',
  tab: '\t',
  '|': '|',
  pipe: '|',
};

/**
 * The delimiter and line end of a file from its first bytes. The delimiter is the one whose count is positive in the header
 * and most constant over the first records, quoted cells aside; a file of one column gets a comma. `given` is the operator's
 * spelling (`;`, `semicolon`, `tab`, `\t`, ...) and wins; an unknown one throws USAGE.
 */
export function detectDialect(head: Buffer, encoding: Encoding, given?: string): Dialect {
  const text = decode(head, encoding).replace(/^\ufeff/, '');
  const newline = detectNewline(text);
  if (given !== undefined) return { delimiter: parseDelimiter(given), newline };
  let best: Delimiter = ',';
  let bestScore = 0;
  for (const delimiter of DELIMITERS) {
    const score = consistency(countPerRecord(text, delimiter, newline));
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return { delimiter: best, newline };
}

function parseDelimiter(given: string): Delimiter {
  const name = given.length === 1 ? given : given.trim().toLowerCase();
  const delimiter = Object.hasOwn(DELIMITER_NAMES, name) ? DELIMITER_NAMES[name] : undefined;
  if (delimiter === undefined) {
    throw new IntakeError('USAGE', 'Unknown delimiter', {
      remedy: 'Use --delimiter with comma, semicolon, tab or pipe.',
    });
  }
  return delimiter;
}

/** What most of its line ends are; those of quoted cells do not count, where the quotes close. */
function detectNewline(text: string): Newline {
  const outside = outsideQuotes(text);
  const feeds = outside.split('\n').length - 1;
  const returns = outside.split(/\r(?!\n)/).length - 1;
  return returns > feeds ? 'cr' : 'lf';
}

/** A text without its quoted cells; a quote that does not close before a delimiter or line end is none. */
export function outsideQuotes(text: string): string {
  return text.replace(/(^|[,;|\t\r\n]) *=?"[^"]*(?:""[^"]*)*"(?=[,;|\t\r\n]|$)/g, '$1');
}

/** Delimiters outside quotes in each of the first records; a record that the head cuts off is left out. */
function countPerRecord(text: string, delimiter: Delimiter, newline: Newline): number[] {
  const end = newline === 'cr' ? '\r' : '\n';
  const counts: number[] = [];
  let count = 0;
  let begin = 0;
  let cell = 0;
  let quoted = false;
  for (let i = 0; i < text.length && counts.length < SAMPLE_RECORDS; i++) {
    const char = text[i];
    if (quoted) {
      if (char === '"') quoted = false;
    } else if (char === '"' && (i === cell || text[i - 1] === '"' || (i === cell + 1 && text[cell] === '='))) {
      quoted = true;
    } else if (char === delimiter) {
      count++;
      cell = i + 1;
    } else if (char === end) {
      if (text.slice(begin, i).trim() !== '' || count > 0) counts.push(count);
      count = 0;
      begin = cell = i + 1;
    }
  }
  if (counts.length === 0) counts.push(count);
  return counts;
}

/** Higher for a delimiter that cuts every record into as many cells as the header; 0 when the header has none. */
function consistency(counts: readonly number[]): number {
  const header = counts[0] ?? 0;
  if (header === 0) return 0;
  const equal = counts.filter((count) => count === header).length;
  return equal / counts.length + Math.min(header, 99) / 1000;
}
