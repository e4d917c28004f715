import { strict as assert } from 'node:assert';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { ERRORS } from '../../src/errors.ts';
import { failureOf } from '../../src/temporal/outcome.ts';

const failed = (cause: Error) => failureOf(new WorkflowFailedError('failed', cause, 'NON_RETRYABLE_FAILURE'), 'import');
const application = (type: string, details: unknown[]) =>
  failed(ApplicationFailure.create({ type, message: 'why', details, nonRetryable: true }));

describe('what a failed workflow says', () => {
  it('is its code, message and remedy, with the report of its steps', () => {
    const error = { code: 'EMPTY_FILE', message: 'why', remedy: 'do this' };
    const report = { phases: {}, error };
    const { status, error: found, report: carried } = application('EMPTY_FILE', [report]);
    assert.deepEqual({ status, found, carried }, { status: 'failed', found: error, carried: report });
  });

  it('is the same of versions that gave their remedy alone, or none', () => {
    assert.equal(application('EMPTY_FILE', ['do this']).error.remedy, 'do this');
    assert.equal(application('EMPTY_FILE', []).error.remedy, ERRORS.EMPTY_FILE.remedy);
  });

  it('is INTERNAL for a code that this version does not know', () =>
    assert.equal(application('SomethingElse', []).error.code, 'INTERNAL'));

  it('tells who cancelled from who terminated, and both from a limit of time', () => {
    const said = [new CancelledFailure('x'), new TerminatedFailure('x'), new Error('timed out')].map((cause) => {
      const { status, error } = failed(cause);
      return [status, error.code, error.message];
    });
    assert.deepEqual(said, [
      ['cancelled', 'CANCELLED', 'The import was cancelled'],
      ['terminated', 'CANCELLED', 'The import was ended from outside'],
      ['terminated', 'INTERNAL', 'The import was ended from outside'],
    ]);
  });
});
