import { strict as assert } from 'node:assert';
import { redact } from '../../src/observability/redact.ts';

describe('redact', () => {
  it('replaces social security numbers as runbook 002 shows', () => {
    assert.equal(redact('Processing SSN 123-45-6789'), 'Processing SSN [SSN_REDACTED]');
    assert.equal(redact('ssn: 123 45 6789.'), 'ssn: [SSN_REDACTED].');
    assert.equal(redact('SSN=123456789'), 'SSN=[SSN_REDACTED]');
  });

  it('replaces cards of 12 to 19 digits with any separators', () => {
    for (const card of [
      '4111-1111-1111-1111',
      '4111 1111 1111 1111',
      '4111111111111111',
      '4111.1111.1111.1111',
      '3782 822463 10005',
      '6304 0000 0000',
      '4000 0000 0000 0000 006',
    ]) {
      assert.equal(redact(`Card: ${card}!`), 'Card: [CARD_REDACTED]!', card);
    }
  });

  it('finds a card beside other numbers', () => {
    assert.equal(redact('order 12 4111 1111 1111 1111'), 'order 12 [CARD_REDACTED]');
    assert.equal(redact('4111 1111 1111 1111 12/27'), '[CARD_REDACTED] 12/27');
  });

  it('leaves what is neither: wrong check digits, times, ids, phones, amounts', () => {
    for (const text of [
      '4111-1111-1111-1112',
      '2026-11-21T05:04:14.123Z',
      '718-555-0101',
      '1234567.89',
      'a1cf29c5-08c1-4fb9-9e49-4a272fdca955',
      '000-12-3456',
      '0000 0000 0000 0000',
    ]) {
      assert.equal(redact(text), text);
    }
  });
});
