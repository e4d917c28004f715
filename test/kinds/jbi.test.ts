import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { csvOf, samples } from '../../scripts/make-samples.ts';
import { schemaOf } from '../../src/cli/commands/schema.ts';
import { jbi } from '../../src/kinds/jbi.ts';
import { simplicity } from '../../src/kinds/simplicity.ts';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';
import { rowFrom, rowsOf, sharedSample, staged } from './vendorFiles.ts';
import { skip } from '../support/skip.ts';

const HEADER =
  'case_number,case_status,court_name,county,state,filing_date,judgment_date,judgment_amount,judgment_balance,party_role,party_type,' +
  'party_name,party_phone,contact_type,party_email\n';
const GOOD = { case_number: 'C-1', party_name: 'Ann Ash', judgment_amount: '10' };
const faultOf = (cells: Record<string, string>) => {
  const { error, column } = rowFrom(jbi, { ...GOOD, ...cells });
  return [error, column];
};

describe('kind jbi', () => {
  it('reads every column of an export; the party is the plaintiff whatever its role', () => {
    const line =
      'C-2023-1,open,Elm Court,Elm,NY,01/05/2023,"March 15, 2023","12,500.00",($200.50),judgment debtor,individual,' +
      'Ann Ash,212-555-0100,phone,ann@example.com\n';
    const [row] = rowsOf(jbi, HEADER + line);
    assert.equal(row?.error, undefined);
    assert.deepEqual(staged(jbi, row!.row), {
      plaintiff_key: plaintiffKey('jbi', 'ann ash', 'ann@example.com'),
      plaintiff_name: 'Ann Ash',
      name_key: 'ann ash',
      email: 'ann@example.com',
      email_key: 'ann@example.com',
      phone: '2125550100',
      address: null,
      judgment_number: 'C-2023-1',
      number_key: 'c-2023-1',
      case_number: 'C-2023-1',
      case_key: 'c-2023-1',
      judgment_amount: '12500.00',
      judgment_balance: '-200.50',
      judgment_date: '2023-03-15',
      filing_date: '2023-01-05',
      court_name: 'Elm Court',
      county: 'Elm',
      state: 'NY',
      defendant_name: null,
      defendant_address: null,
      case_type: null,
      case_status: 'open',
      lead_id: null,
    });
  });

  it('names the first error of a row and its column', () => {
    assert.deepEqual(faultOf({}), [undefined, undefined]);
    assert.deepEqual(faultOf({ party_name: '', case_number: '' }), ['MISSING_VALUE', 'party_name']);
    assert.deepEqual(faultOf({ party_email: 'x', party_phone: '1' }), ['BAD_EMAIL', 'party_email']);
    assert.deepEqual(faultOf({ party_phone: '1' }), ['BAD_PHONE', 'party_phone']);
    assert.deepEqual(faultOf({ case_number: '' }), ['MISSING_VALUE', 'case_number']);
    assert.deepEqual(faultOf({ judgment_balance: 'tbd', filing_date: 'x' }), ['BAD_AMOUNT', 'judgment_balance']);
    assert.deepEqual(faultOf({ filing_date: '31/01/2023' }), ['BAD_DATE', 'filing_date']);
  });

  it('takes the aliases of its required columns', () => {
    for (const name of ['plaintiff', 'plaintiff_name', 'PlaintiffName', 'creditor', 'creditor_name']) {
      for (const number of ['case', 'case_no', 'Case Number']) {
        for (const amount of [
          'judgment_amount',
          'judgement_amount',
          'total_judgment_amount',
          'Total Judgement Amount',
        ]) {
          const [row] = rowsOf(jbi, `${number},${name},${amount}\nC-1,Ann,5\n`);
          const values = staged(jbi, row!.row);
          assert.deepEqual([values.case_number, values.plaintiff_name, values.judgment_amount], ['C-1', 'Ann', '5']);
        }
      }
    }
  });

  it('names the columns that a file lacks', () => {
    assert.throws(() => rowsOf(jbi, 'party_role,county\n'), {
      code: 'MISSING_COLUMNS',
      message:
        /^Missing required columns: \{'case_number', 'judgment_amount', 'party_name'\}; headers found: party_role, county$/,
    });
  });

  it("refuses Simplicity's headers, in any spelling, unless a map says what they mean", () => {
    const refusal = {
      code: 'MISSING_COLUMNS',
      message: /these are the headers of a Simplicity export$/,
      remedy: /intake import simplicity FILE/,
    };
    const header = csvOf(samples().simplicity.slice(0, 1)).split('\n', 1)[0] + '\n';
    assert.throws(() => rowsOf(jbi, header), refusal);
    assert.throws(() => rowsOf(jbi, header.toLowerCase()), refusal);
    assert.throws(() => rowsOf(jbi, 'lead_id,plaintiff_name,judgment_number,case_number,judgment_amount\n'), refusal);
    assert.throws(() => rowsOf(jbi, 'PlaintiffName,JudgmentNumber,JudgmentAmount,Court\n'), refusal);
    assert.deepEqual(rowsOf(jbi, header, { IndexNumber: 'case_number' }), []);
  });

  it('has a schema that wants its three columns', () => {
    assert.deepEqual((schemaOf(jbi) as { required: string[] }).required, [
      'case_number',
      'party_name',
      'judgment_amount',
    ]);
  });
});

describe('samples/jbi.csv', () => {
  const { jbi: made } = samples();
  const file = readFileSync(new URL('../../samples/jbi.csv', import.meta.url), 'utf8');

  it('is what the generator makes, every time', () => {
    assert.equal(csvOf(made), file);
  });

  it('has the errors it is meant to have and no other', () => {
    assert.deepEqual(
      rowsOf(jbi, file).map(({ error }) => error),
      made.map(({ error }) => error),
    );
    assert.ok(made.filter(({ error }) => error).length >= 5);
  });
});

describe("the operators' JBI files", () => {
  it('a valid export: each row is good', function () {
    const csv = sharedSample('jbi/jbi_export_valid_sample.csv') ?? skip(this, 'the shared samples are not here');
    assert.deepEqual(
      rowsOf(jbi, csv).map(({ error }) => error),
      [undefined, undefined, undefined],
    );
  });

  it("one with Simplicity's headers is refused, and is good as what it is", function () {
    const csv = sharedSample('jbi/jbi_export.csv') ?? skip(this, 'the shared samples are not here');
    assert.throws(() => rowsOf(jbi, csv), { code: 'MISSING_COLUMNS', message: /Simplicity export/ });
    assert.deepEqual(
      rowsOf(simplicity, csv).map(({ error }) => error),
      [undefined, undefined, undefined],
    );
  });
});
