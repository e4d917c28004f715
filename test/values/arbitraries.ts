import fc from 'fast-check';
import { CAPITALS, SMALLS } from '../../src/values/case.ts';

/** Letters and blanks at which lower-casing and trimming differ between runtimes, locales and databases. */
const TRAPS = [
  ...[
    'İ',
    'ı',
    'I',
    'i',
    'Σ',
    'σ',
    'ς',
    'ß',
    'ẞ',
    'ǅ',
    'ŉ',
    'K',
    'Å',
    'Ω',
    'ΐ',
    'ﬁ',
    'Ⅷ',
    'Ⓐ',
    'Ა',
    'Ꭰ',
    '𐐀',
    '👩‍👧',
    'e\u0301',
    '\u0307',
  ],
  ...[
    '\t',
    '\n',
    '\v',
    '\f',
    '\r',
    '\u001c',
    '\u001f',
    ' ',
    '\u0085',
    '\u00a0',
    '\u1680',
    '\u180e',
    '\u2000',
    '\u200a',
  ],
  ...[
    '\u200b',
    '\u2028',
    '\u2029',
    '\u202f',
    '\u205f',
    '\u2060',
    '\u3000',
    '\ufeff',
    '|',
    '\\',
    "'",
    '\u0001',
    '\u007f',
  ],
];

/** Any text PostgreSQL can store: whole characters, no NUL; rich in what normalization has to agree on. */
export const keyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...TRAPS),
      fc.constantFrom(...CAPITALS, ...SMALLS),
      fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

export const maybeEmail = fc.option(fc.oneof(fc.emailAddress(), keyText), { nil: null });
