/** Files of `npm run chaos`: of every kind, each new to the database, with what must come of it told beforehand. */
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { countNatures, writeRows } from './generators/file.ts';
import { COLUMNS, plaintiffsRows } from './generators/plaintiffs.ts';
import { writeSearchTree } from './generators/searchTree.ts';

export const TENANT = 'CHAOS';

export interface ChaosFile {
  readonly kind: string;
  /** Words of the command line behind the kind. */
  readonly words: readonly string[];
  /** Source rows, and those that become new production rows. */
  readonly rows: number;
  readonly inserted: number;
}

/** Makes file `n` in a folder. */
export type MakeFile = (dir: string, n: number) => Promise<ChaosFile>;

async function plaintiffs(dir: string, n: number): Promise<ChaosFile> {
  const path = join(dir, `plaintiffs-${n}.csv`);
  const rows = 10_000;
  await writeRows(path, COLUMNS, plaintiffsRows(n, rows));
  const inserted = countNatures(plaintiffsRows(n, rows)).get('new') ?? 0;
  return { kind: 'plaintiffs', words: [path, '--source-system', `chaos-${n}`], rows, inserted };
}

/** Every fifth person has a second judgment; every hundredth row is a duplicate of the one before. */
const judgments = (kind: string, header: string, line: (id: string, name: string) => string): MakeFile =>
  async function make(dir, n) {
    const path = join(dir, `${kind}-${n}.csv`);
    const rows = 1000;
    let inserted = 0;
    const lines = Array.from({ length: rows }, (_, i) => {
      const isAgain = i % 100 === 99;
      if (!isAgain) inserted++;
      return line(`C-${n}-${isAgain ? i - 1 : i}`, `Creditor ${n} ${i % 5 === 4 ? i - 1 : i}`);
    });
    await writeFile(path, `${header}\n${lines.join('\n')}\n`);
    return { kind, words: [path, '--source-system', `chaos-${n}`], rows, inserted };
  };

const simplicity = judgments(
  'simplicity',
  'LeadID,IndexNumber,Court,County,State,JudgmentDate,JudgmentAmount,PlaintiffName,DefendantName',
  (id, name) => `${id},${id},Kings County Civil Court,Kings,NY,06/03/2022,"1,250.00",${name},Debtor ${id}`,
);
const jbi = judgments(
  'jbi',
  'case_number,court_name,county,state,judgment_date,judgment_amount,party_role,party_name',
  (id, name) => `${id},Hartford Superior Court,Hartford,CT,03/20/2022,440.10,judgment creditor,${name}`,
);

async function projects(dir: string, n: number): Promise<ChaosFile> {
  const path = join(dir, `projects-${n}.csv`);
  const rows = 300;
  const lines = Array.from({ length: rows }, (_, i) => `STG-${n}-${i},${i},2025-06-09,24/09/2025,"${i} Kestrel Road"`);
  await writeFile(path, `stage_application,residential,stage_application_created,eFscd,address\n${lines.join('\n')}\n`);
  return { kind: 'projects', words: [path, '--tenant', TENANT], rows, inserted: rows };
}

async function searchResults(dir: string, n: number): Promise<ChaosFile> {
  const root = join(dir, `searches-${n}`);
  const natures = writeSearchTree(root, { seed: n, files: 60, imageBytes: 4_000, dirtEvery: 0 });
  const rows = 60 + 2 * (natures.get('several') ?? 0);
  return { kind: 'search-results', words: ['--states-dir', root, '--tag', `chaos-${n}`], rows, inserted: rows };
}

export const MAKERS: readonly MakeFile[] = [plaintiffs, simplicity, searchResults, projects, jbi];
