/** A file of projects, and what imports of it are to leave. */
import { written, type FileSubject } from './judgmentsFile.ts';
import { contentOfRuns, forgetRuns } from './projectsImport.ts';

/** Distinct projects with odd partners and people, later rows of the same application, and rejects. */
export function projectsCsv(rows: number): string {
  const lines = [
    'Stage-Application;Delivery Partner;deployment_specialist;RELATIONSHIP MANAGER;residential;Address;eFscd',
  ];
  for (let i = 0; i < rows; i++) {
    const key = i % 17 === 16 ? i - 5 : i;
    const partner = ['Acme', 'Other', 'Unassigned', `Partner ${i}`][i % 4];
    lines.push(
      [
        `STG-${key}`,
        partner,
        i % 3 ? 'DS_A' : 'DS_ZZ',
        i % 5 ? '' : 'First Last',
        i % 23 === 7 ? 'n' : i,
        `"${i} Main St;\nLot 2"`,
        '31/12/2025',
      ].join(';'),
    );
  }
  return `${lines.join('\r\n')}\r\n`;
}

export const PROJECTS: FileSubject = {
  kind: 'projects',
  ...written(projectsCsv),
  record: (cell) => `${cell};${cell};${cell};${cell};3;${cell};2025-12-31\r\n`,
  contentOf: contentOfRuns,
  forget: forgetRuns,
};
