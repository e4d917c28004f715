/** Kind `simplicity` (runbook 000): leads as Simplicity exports them. */
import { judgmentRow, JUDGMENTS, type VendorColumns } from './judgments.ts';
import { ALSO, NAME_PARTS } from './otherWords.ts';
import type { CsvKind } from './kind.ts';

const VENDOR: VendorColumns = {
  name: 'plaintiff_name',
  email: 'email',
  phone: 'phone',
  address: 'plaintiff_address',
  judgmentNumber: ['judgment_number', 'index_number', 'case_number', 'docket_number', 'lead_id'],
  caseNumber: ['case_number', 'index_number', 'docket_number'],
  number: 'index_number',
};

export const simplicity: CsvKind = {
  ...JUDGMENTS,
  name: 'simplicity',
  reads: 'csv',
  aliases: [],
  title: 'Simplicity export',
  defaultSource: 'simplicity',
  columns: [
    { name: 'lead_id', aliases: ['LeadID'] },
    { name: 'lead_source', aliases: ['LeadSource'] },
    { name: 'court_name', aliases: ['Court'] },
    { name: 'index_number', aliases: ['IndexNumber'] },
    { name: 'judgment_number', aliases: ['JudgmentNumber'] },
    { name: 'case_number', aliases: [] },
    { name: 'docket_number', aliases: [] },
    { name: 'case_type', aliases: ['CaseType'] },
    { name: 'judgment_date', aliases: ['JudgmentDate'], also: ALSO.date },
    { name: 'judgment_amount', aliases: ['JudgmentAmount'], also: ALSO.amount },
    { name: 'case_status', aliases: ['Status'] },
    { name: 'county', aliases: [] },
    { name: 'state', aliases: [] },
    { name: 'plaintiff_name', aliases: ['PlaintiffName'], parts: NAME_PARTS, also: ALSO.name },
    { name: 'plaintiff_address', aliases: ['PlaintiffAddress'], also: ALSO.address },
    { name: 'defendant_name', aliases: ['DefendantName'] },
    { name: 'defendant_address', aliases: ['DefendantAddress'] },
    { name: 'phone', aliases: [], also: ALSO.phone, anyOf: true },
    { name: 'email', aliases: [], also: ALSO.email },
    { name: 'best_contact_method', aliases: ['BestContactMethod'] },
    { name: 'assigned_agent', aliases: ['AssignedAgent'] },
  ],
  required: [
    ['plaintiff_name'],
    ['index_number', 'lead_id', 'judgment_number', 'case_number', 'docket_number'],
    ['judgment_amount'],
  ],
  dateOrder: 'mdy',
  identifiers: ['judgment_number', 'index_number', 'case_number', 'docket_number', 'lead_id', 'phone'],
  dates: ['judgment_date'],
  row: (cell, context) => judgmentRow(cell, VENDOR, context),
  sample: 'simplicity.csv',
  colour: { light: '#d98c2b', dark: '#e0a353' },
};
