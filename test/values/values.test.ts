import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { parseAmount } from '../../src/values/amount.ts';
import { causeOf } from '../../src/values/cause.ts';
import { parseEmail, parsePhone, parseState } from '../../src/values/contact.ts';
import { parseDate } from '../../src/values/date.ts';
import type { Result } from '../../src/values/result.ts';
import { text } from '../../src/values/text.ts';

const view = (result: Result<string>): string | null => (result.error === undefined ? result.value : result.error);

function table(parse: (cell: string) => Result<string>, cases: Record<string, string | null>): void {
  for (const [cell, expected] of Object.entries(cases)) assert.equal(view(parse(cell)), expected, JSON.stringify(cell));
}

describe('text', () => {
  it('trims blanks of any sort, and makes an empty cell null', () => {
    assert.equal(text(' \u00a0\u3000a b\u0085\ufeff'), 'a b');
    for (const cell of ['', '  ', '\u00a0', null, undefined]) assert.equal(text(cell), null);
  });
});

describe('parseAmount', () => {
  it('reads signs, parentheses, dollars and groups as exact decimals', () => {
    table(parseAmount, {
      '1234.50': '1234.50',
      '$1,234,567.89': '1234567.89',
      '(1,234.50)': '-1234.50',
      '($5)': '-5',
      '-$5.00': '-5.00',
      '$-5': '-5',
      '5.00-': '-5.00',
      '$ 12 ': '12',
      '+7': '7',
      '007.10': '7.10',
      '0': '0',
      '-0.00': '0.00',
      '.5': '0.5',
      '5.': '5',
      '': null,
      '12345678901234567890.12345': '12345678901234567890.12345',
      '\u22125': '-5',
    });
  });

  it('reads the ways of writing an amount that tills, banks and spreadsheets have', () => {
    table(parseAmount, {
      '105. \u2013': '105',
      '5.-': '5',
      '5.--': '5',
      '5-': '-5',
      'USD 1,234.56': '1234.56',
      '$5 USD': '5',
      US$5: '5',
      '$(100.00)': '-100.00',
      '(USD 5)': '-5',
      '(5.50 USD)': '-5.50',
      '(US$ 1,234)': '-1234',
      'USD (5)': '-5',
      '-USD 5': '-5',
      '-$5': '-5',
      '-': null,
      '\u2013': null,
      '$ -': null,
      'N/A': null,
      '0.125': '0.125',
      '1234.567': '1234.567',
      '\u0661\u0662.\u0665': '12.5',
      '\uff11\uff12': '12',
    });
  });

  it('rejects whatever could mean another number', () => {
    const bad = [
      '1.234,56',
      '1,23',
      '1,2345',
      '12,34,567',
      ',123',
      '1 234',
      '1e5',
      '--5',
      '(-5)',
      '-5-',
      '(5',
      '5)',
      'abc',
      '$',
      '1.234',
      '$12.345',
      'EUR 5',
      'CAD 5',
      '5 €',
      'C$5',
      'USD 5 USD',
      'USD (USD 5)',
      '(USD -5)',
      '- USD',
      '$5 $',
      '1.2.3',
      '€5',
      '0x10',
      '()',
      '.',
    ];
    table(parseAmount, Object.fromEntries(bad.map((cell) => [cell, 'BAD_AMOUNT'])));
  });

  it('says of another currency what is to be done, and not of dollars that cannot be read', () => {
    const hint = 'It names another currency; amounts are US dollars here: convert it.';
    for (const cell of [
      'CAD 5',
      '5 €',
      '€5',
      '(£5)',
      'C$5',
      'CA$ 1,234.00',
      '5,00 EUR',
      'eur 5',
      '1.234 CHF',
      '5 euros',
      '¥500',
    ])
      assert.equal(causeOf('BAD_AMOUNT', cell, 'mdy'), hint, cell);
    for (const cell of ['USD 5x', '$5 $', 'abc', 'five', '5 kg', 'USD $ 5 $'])
      assert.equal(causeOf('BAD_AMOUNT', cell, 'mdy'), undefined, cell);
  });

  it('takes every grouped amount for the number that was grouped', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.integer({ min: 0, max: 99 }), (whole, cents) => {
        const fraction = String(cents).padStart(2, '0');
        assert.equal(view(parseAmount(`$${whole.toLocaleString('en-US')}.${fraction}`)), `${whole}.${fraction}`);
      }),
    );
  });
});

describe('parseDate', () => {
  it('reads ISO dates, timestamps and month names in either order', () => {
    for (const order of ['mdy', 'dmy'] as const) {
      table((cell) => parseDate(cell, order), {
        '2020-01-15': '2020-01-15',
        '2020-1-5': '2020-01-05',
        '2020-01-15T23:59:59.123Z': '2020-01-15',
        '2020-01-15 10:00:00+02': '2020-01-15',
        '2020/01/15': '2020-01-15',
        '20200115': '2020-01-15',
        'January 15, 2020': '2020-01-15',
        '15 Jan 2020': '2020-01-15',
        '15-JAN-2020': '2020-01-15',
        'Sept. 3rd, 2020': '2020-09-03',
        'Wed, Jan 15 2020': '2020-01-15',
        '2024-02-29': '2024-02-29',
      });
    }
  });

  it("reads numeric dates in the file's order only", () => {
    table((cell) => parseDate(cell, 'mdy'), {
      '1/2/2020': '2020-01-02',
      '01-02-2020': '2020-01-02',
      '1.2.2020 10:30 PM': '2020-01-02',
    });
    table((cell) => parseDate(cell, 'dmy'), { '1/2/2020': '2020-02-01', '31.12.2020': '2020-12-31' });
    const swapped = parseDate('31/12/2020', 'mdy');
    assert.deepEqual([view(swapped), 'hint' in swapped && /--date-order dmy/.test(swapped.hint!)], ['BAD_DATE', true]);
  });

  it('rejects days that do not exist, years out of range or of two digits, and other text', () => {
    const bad = [
      '2023-02-29',
      '1900-02-29',
      '2020-04-31',
      '13/32/2020',
      '0/1/2020',
      '1799-12-31',
      '2201-01-01',
      '1/2/20',
      '1/2-2020',
      'Foo 1, 2020',
      'Janu 1, 2020',
      'soon',
      '2020',
      '2020-01-15x',
      '2020-13-01',
    ];
    table((cell) => parseDate(cell, 'mdy'), Object.fromEntries(bad.map((cell) => [cell, 'BAD_DATE'])));
  });

  it('takes the words for an absent date as none', () => {
    table((cell) => parseDate(cell, 'mdy'), {
      'Not On File': null,
      'not available': null,
      'N/A': null,
      '---': null,
      UNKNOWN: null,
      ' ': null,
    });
  });
});

describe('parsePhone, parseEmail, parseState', () => {
  it('keep 7 to 15 digits of a phone number, and its extension behind an x', () => {
    table(parsePhone, {
      '(212) 555-0100': '2125550100',
      '+1 212.555.0100 x12': '12125550100x12',
      '212-555-0100 ext. 12': '2125550100x12',
      '212-555-0100, Extension 7': '2125550100x7',
      '555010 x12345': 'BAD_PHONE',
      '5550100': '5550100',
      '': null,
      '555010': 'BAD_PHONE',
      '1234567890123456': 'BAD_PHONE',
      'call me 5550100': 'BAD_PHONE',
    });
  });

  it('check e-mail addresses and leave them as written', () => {
    table(parseEmail, { ' Jane.Roe+x@Example.co.uk ': 'Jane.Roe+x@Example.co.uk', '': null });
    table(
      parseEmail,
      Object.fromEntries(
        ['jane', 'jane@', '@x.com', 'a@b', 'a b@c.com', 'a@b..com', 'a@b.com,c@'].map((c) => [c, 'BAD_EMAIL']),
      ),
    );
  });

  it('upper-case two-letter states', () => {
    table(parseState, { ny: 'NY', ' CA ': 'CA', '': null, 'New York': 'BAD_STATE', N1: 'BAD_STATE' });
  });
});
