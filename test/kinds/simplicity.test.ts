import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { csvOf, samples } from '../../scripts/make-samples.ts';
import { schemaOf } from '../../src/cli/commands/schema.ts';
import { simplicity } from '../../src/kinds/simplicity.ts';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';
import { rowFrom, rowsOf, sharedSample, staged } from './vendorFiles.ts';
import { skip } from '../support/skip.ts';

const HEADER =
  'LeadID,LeadSource,Court,IndexNumber,CaseType,JudgmentDate,JudgmentAmount,Status,County,State,PlaintiffName,PlaintiffAddress,' +
  'DefendantName,DefendantAddress,Phone,Email,BestContactMethod,AssignedAgent\n';
const GOOD = { plaintiff_name: 'Ann Ash', index_number: 'IX-1', judgment_amount: '10' };
const read = (cells: Record<string, string>) => staged(simplicity, rowFrom(simplicity, { ...GOOD, ...cells }));
const faultOf = (cells: Record<string, string>) => {
  const { error, column } = rowFrom(simplicity, { ...GOOD, ...cells });
  return [error, column];
};

describe('kind simplicity', () => {
  it('reads every column of an export', () => {
    const line =
      '7,Import,Elm Court, IX-2023-1 ,Civil,03/15/2023,"$15,000.50",Open,Elm,ny,"Ash  &  Sons, LLC","1 Elm St, Elm, NY",' +
      'Bo Doe,"2 Oak Ave, Elm, NY",(212) 555-0100,Ann@Example.com,Phone,Agent X\n';
    const [row] = rowsOf(simplicity, HEADER + line);
    assert.equal(row?.error, undefined);
    assert.deepEqual(staged(simplicity, row!.row), {
      plaintiff_key: plaintiffKey('simplicity', 'ash & sons, llc', 'ann@example.com'),
      plaintiff_name: 'Ash  &  Sons, LLC',
      name_key: 'ash & sons, llc',
      email: 'Ann@Example.com',
      email_key: 'ann@example.com',
      phone: '2125550100',
      address: '1 Elm St, Elm, NY',
      judgment_number: 'IX-2023-1',
      number_key: 'ix-2023-1',
      case_number: 'IX-2023-1',
      case_key: 'ix-2023-1',
      judgment_amount: '15000.50',
      judgment_balance: null,
      judgment_date: '2023-03-15',
      filing_date: null,
      court_name: 'Elm Court',
      county: 'Elm',
      state: 'NY',
      defendant_name: 'Bo Doe',
      defendant_address: '2 Oak Ave, Elm, NY',
      case_type: 'Civil',
      case_status: 'Open',
      lead_id: '7',
    });
    assert.equal(row!.row.key, row!.row.values[0]);
  });

  it('finds the number of the judgment and of the case where there is one', () => {
    const numbers = (cells: Record<string, string>) => {
      const { judgment_number, case_number } = read({ index_number: ' ', ...cells });
      return [judgment_number, case_number];
    };
    const all = { judgment_number: 'J', index_number: 'I', case_number: 'C', docket_number: 'D', lead_id: 'L' };
    assert.deepEqual(numbers(all), ['J', 'C']);
    assert.deepEqual(numbers({ ...all, judgment_number: '' }), ['I', 'C']);
    assert.deepEqual(numbers({ ...all, case_number: '' }), ['J', 'I']);
    assert.deepEqual(numbers({ case_number: 'C', docket_number: 'D', lead_id: 'L' }), ['C', 'C']);
    assert.deepEqual(numbers({ docket_number: 'D', lead_id: 'L' }), ['D', 'D']);
    assert.deepEqual(numbers({ lead_id: 'L' }), ['L', 'L']);
    assert.deepEqual(numbers({ judgment_number: 'J' }), ['J', 'J']);
  });

  it('makes no number of words for none', () => {
    assert.equal(read({ index_number: 'N/A', lead_id: 'L' }).judgment_number, 'L');
    assert.deepEqual(faultOf({ index_number: 'n/a', lead_id: '--' }), ['MISSING_VALUE', 'index_number']);
  });

  it('names the first error of a row and its column', () => {
    assert.deepEqual(faultOf({}), [undefined, undefined]);
    assert.deepEqual(faultOf({ plaintiff_name: ' ', email: 'x' }), ['MISSING_VALUE', 'plaintiff_name']);
    assert.deepEqual(faultOf({ email: 'x@', phone: '1' }), ['BAD_EMAIL', 'email']);
    assert.deepEqual(faultOf({ phone: '1', state: 'NYC' }), ['BAD_PHONE', 'phone']);
    assert.deepEqual(faultOf({ index_number: '', judgment_amount: '' }), ['MISSING_VALUE', 'index_number']);
    assert.deepEqual(faultOf({ judgment_amount: '', judgment_date: 'x' }), ['MISSING_VALUE', 'judgment_amount']);
    assert.deepEqual(faultOf({ judgment_amount: '1,23', judgment_date: 'x' }), ['BAD_AMOUNT', 'judgment_amount']);
    assert.deepEqual(faultOf({ judgment_date: '02/30/2024', state: 'NYC' }), ['BAD_DATE', 'judgment_date']);
    assert.deepEqual(faultOf({ state: 'NYC' }), ['BAD_STATE', 'state']);
  });

  it('hands SQL no value that its column cannot hold', () => {
    const row = read({
      judgment_amount: '1,23',
      judgment_date: '02/30/2024',
      state: 'NYC',
      phone: 'none',
      email: 'x@',
    });
    assert.deepEqual(
      [row.judgment_amount, row.judgment_date, row.state, row.phone, row.email],
      [null, null, null, null, 'x@'],
    );
    assert.equal(read({ email: ' ' }).email_key, null);
    assert.equal(read({ judgment_date: 'N/A' }).judgment_date, null);
    assert.equal(read({ judgment_amount: '(1,234.50)' }).judgment_amount, '-1234.50');
  });

  it('names the columns that a file lacks', () => {
    assert.throws(() => rowsOf(simplicity, 'Email,AssignedAgent\n'), {
      code: 'MISSING_COLUMNS',
      message:
        /^Missing required columns: \{'index_number', 'judgment_amount', 'plaintiff_name'\}; headers found: Email, AssignedAgent$/,
    });
    for (const number of ['LeadID', 'JudgmentNumber', 'Index-Number', 'case number', 'docket_number']) {
      assert.equal(
        rowsOf(simplicity, `PlaintiffName,${number},JudgmentAmount\nAnn,1,2\n`)[0]?.error,
        undefined,
        number,
      );
    }
  });

  it("refuses JBI's headers", () => {
    assert.throws(() => rowsOf(simplicity, 'case_number,party_name,judgment_amount\n'), {
      code: 'MISSING_COLUMNS',
      message: "Missing required columns: {'plaintiff_name'}; these are the headers of a JBI export",
      remedy: 'Import it as `jbi`: intake import jbi FILE.',
    });
  });

  it('has a schema that wants a name, an amount and one of the numbers', () => {
    const schema = schemaOf(simplicity) as { required: string[]; allOf: { anyOf: object[] }[] };
    assert.deepEqual(schema.required, ['plaintiff_name', 'judgment_amount']);
    assert.deepEqual(schema.allOf[0]?.anyOf[0], { required: ['index_number'] });
  });
});

describe('samples/simplicity.csv', () => {
  const { simplicity: made } = samples();
  const file = readFileSync(new URL('../../samples/simplicity.csv', import.meta.url), 'utf8');

  it('is what the generator makes, every time', () => {
    assert.equal(csvOf(made), file);
    assert.deepEqual(samples().simplicity, made);
  });

  it('has the errors it is meant to have and no other', () => {
    assert.deepEqual(
      rowsOf(simplicity, file).map(({ error }) => error),
      made.map(({ error }) => error),
    );
    assert.ok(made.filter(({ error }) => error).length >= 5);
  });

  it('repeats leads, and shares plaintiffs and cases with samples/jbi.csv', () => {
    const { jbi } = samples();
    const column = (rows: typeof made, name: string) =>
      new Set(rows.map(({ cells }) => cells[name]!.trim().toLowerCase()).filter((value) => value !== ''));
    const shared = (ours: string, theirs: string) =>
      [...column(made, ours)].filter((value) => column(jbi, theirs).has(value)).length;
    assert.ok(column(made, 'LeadID').size < made.length - 10);
    assert.ok(shared('Email', 'party_email') >= 20);
    assert.ok(shared('IndexNumber', 'case_number') >= 3);
  });
});

describe("the operators' Simplicity files", () => {
  const expected = {
    simplicity_export: [undefined, undefined],
    simplicity_plaintiffs_sample: [undefined, undefined, undefined, undefined],
    simplicity_test_badrow: [undefined, 'MISSING_VALUE'],
  };
  for (const [name, errors] of Object.entries(expected)) {
    it(`${name}: each row is judged rightly`, function () {
      const csv = sharedSample(`simplicity/${name}.csv`) ?? skip(this, 'the shared samples are not here');
      assert.deepEqual(
        rowsOf(simplicity, csv).map(({ error }) => error),
        errors,
      );
    });
  }
});
