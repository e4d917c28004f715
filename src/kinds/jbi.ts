/** Kind `jbi` (runbook 000): cases as JBI exports them. The party is the plaintiff, whatever `party_role` says. */
import { judgmentRow, JUDGMENTS, type VendorColumns } from './judgments.ts';
import { ALSO, NAME_PARTS } from './otherWords.ts';
import type { CsvKind } from './kind.ts';

const VENDOR: VendorColumns = {
  name: 'party_name',
  email: 'party_email',
  phone: 'party_phone',
  judgmentNumber: ['case_number'],
  caseNumber: ['case_number'],
  number: 'case_number',
};

export const jbi: CsvKind = {
  ...JUDGMENTS,
  name: 'jbi',
  reads: 'csv',
  aliases: [],
  title: 'JBI export',
  defaultSource: 'jbi',
  columns: [
    { name: 'case_number', aliases: ['case', 'case_no'] },
    { name: 'case_status', aliases: ['status'] },
    { name: 'court_name', aliases: ['court'] },
    { name: 'county', aliases: [] },
    { name: 'state', aliases: [] },
    { name: 'filing_date', aliases: [] },
    { name: 'judgment_date', aliases: [], also: ALSO.date },
    { name: 'judgment_amount', aliases: ['judgement_amount', 'total_judgment_amount', 'total_judgement_amount'] },
    { name: 'judgment_balance', aliases: [] },
    { name: 'party_role', aliases: [] },
    { name: 'party_type', aliases: [] },
    {
      name: 'party_name',
      aliases: ['plaintiff_name', 'plaintiff', 'creditor_name', 'creditor'],
      parts: NAME_PARTS,
      also: ALSO.name,
    },
    { name: 'party_phone', aliases: ['phone'], also: ALSO.phone, anyOf: true },
    { name: 'contact_type', aliases: [] },
    { name: 'party_email', aliases: ['email'], also: ALSO.email },
    { name: 'defendant_name', aliases: [] },
  ],
  required: [['case_number'], ['party_name'], ['judgment_amount']],
  dateOrder: 'mdy',
  identifiers: ['case_number', 'party_phone'],
  dates: ['filing_date', 'judgment_date'],
  row: (cell, context) => judgmentRow(cell, VENDOR, context),
  sample: 'jbi.csv',
  colour: { light: '#5b7fc7', dark: '#86a6e6' },
};
