import { strict as assert } from 'node:assert';
import { createLogger } from '../../src/observability/log.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  write(createLogger('debug', { write: (line: string) => (text += line) }));
  return text;
}

describe('log', () => {
  it('redacts messages, fields and nested fields', () => {
    const text = logged((log) => log.info({ a: { b: ['123-45-6789'] } }, 'card 4111 1111 1111 1111'));
    assert.match(text, /SSN_REDACTED/);
    assert.match(text, /CARD_REDACTED/);
    assert.doesNotMatch(text, /6789|4111/);
  });

  it('keeps of an error its code and frames, never its message, which may quote a row', () => {
    const cause = Object.assign(new Error('invalid input syntax: "Jane Roe"'), {
      code: '22P02',
      detail: 'Key (name)=(Jane Roe)',
      table: 'plaintiffs',
    });
    const text = logged((log) => log.warn({ err: new Error('Jane Roe', { cause }) }, 'failed'));
    assert.doesNotMatch(text, /Jane/);
    assert.match(text, /22P02/);
    assert.match(text, /log\.test\.ts/);
  });
});
