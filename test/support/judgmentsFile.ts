/** A Simplicity file, and what its import leaves, for tests that go through a worker. */
import { contentOfJudgments, forgetJudgments } from './judgmentsContent.ts';
import { contentOf, forget, plaintiffsCsv } from './imports.ts';
import type { Subject } from './crash.ts';

/** Leads of fewer plaintiffs, who are found by email, phone and name; with duplicates, odd cells and rejects. */
export function simplicityCsv(rows: number): string {
  const lines = [
    'LeadID,IndexNumber,Court,JudgmentDate,JudgmentAmount,State,PlaintiffName,PlaintiffAddress,DefendantName,Phone,Email,BestContactMethod',
  ];
  for (let i = 0; i < rows; i++) {
    const who = (i * 7) % Math.ceil(rows / 3);
    const email = i % 4 ? `P${who}@Example.com` : '';
    const phone = i % 3 ? `(212) 555-${1000 + who}` : '';
    const number = i % 13 === 12 ? `ix-${i - 12}` : `IX-${i}`;
    const amount = i % 29 === 7 ? '12,3' : `"$${1 + (i % 9)},000.50"`;
    lines.push(
      `${i},${number},"Court of ""Elm""",2024-03-${10 + (i % 19)},${amount},ny,Person  ${who},"${who} Main St${i % 7 ? '' : '\nSuite \\N'}",Debtor ${i}\t,${phone},${email},phone`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Cases of fewer parties, who are found by email, phone and name; with duplicates and rejects. */
function jbiCsv(rows: number): string {
  const lines = ['Case No,Creditor,Total Judgment Amount,Court,Party Phone,Party Email,State'];
  for (let i = 0; i < rows; i++) {
    const who = (i * 5) % Math.ceil(rows / 3);
    const contacts = `${i % 3 ? `212-555-${1000 + who}` : ''},${i % 4 ? `party${who}@example.com` : ''}`;
    lines.push(`CT-${i % 13 === 12 ? i - 12 : i},Party ${who},${i % 29 === 7 ? '"12,3"' : i + 1},Elm,${contacts},ny`);
  }
  return `${lines.join('\n')}\n`;
}

export interface FileSubject extends Subject {
  csv(rows: number): string;
  /** A record, with its end, whose texts are this cell; `i` keeps it apart from others. */
  record(cell: string, i: number): string;
}

export const written = (csv: FileSubject['csv']): Pick<FileSubject, 'csv' | 'write'> => ({
  csv,
  write: async (place) => ({ path: await place.file(csv(600)) }),
});

export const PLAINTIFFS: FileSubject = {
  kind: 'plaintiffs',
  ...written(plaintiffsCsv),
  record: (cell, i) => `${cell},odd${i}@example.com,,,\n`,
  contentOf,
  forget,
};
const OF_JUDGMENTS = { contentOf: contentOfJudgments, forget: forgetJudgments };
export const SIMPLICITY: FileSubject = {
  kind: 'simplicity',
  ...written(simplicityCsv),
  record: (cell, i) => `,${cell},${cell},2024-03-01,10,NY,${cell},${cell},${cell},,odd${i}@example.com,\n`,
  ...OF_JUDGMENTS,
};
export const JBI: FileSubject = {
  kind: 'jbi',
  ...written(jbiCsv),
  record: (cell, i) => `${cell},${cell},10,${cell},,odd${i}@example.com,NY\n`,
  ...OF_JUDGMENTS,
};
