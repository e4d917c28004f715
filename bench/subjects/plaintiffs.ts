/** A million plaintiffs: landing and promotion (runbooks 001 and 002). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dlt } from '../contenders/dlt.ts';
import { ingestr } from '../contenders/ingestr.ts';
import { intake } from '../contenders/intake.ts';
import { ownSqlPsql } from '../contenders/ownSqlPsql.ts';
import { pgloader } from '../contenders/pgloader.ts';
import { plainPsql } from '../contenders/plainPsql.ts';
import { sling } from '../contenders/sling.ts';
import { countRows } from '../database.ts';
import { countNatures, writeRows } from '../generators/file.ts';
import { cleanedRows, COLUMNS, plaintiffsRows } from '../generators/plaintiffs.ts';
import type { Subject } from './subject.ts';

export const plaintiffs: Subject = {
  name: 'plaintiffs',
  kind: 'plaintiffs',
  unit: 'rows',
  rows: 1_000_000,
  contenders: [intake('postgres'), intake('supabase'), plainPsql, ownSqlPsql, sling, pgloader, ingestr, dlt],
  ratios: [
    { head: 'rate / plain', contender: 'plain-psql', of: 'rate' },
    { head: 'time / own SQL', contender: 'own-sql-psql', of: 'time' },
    { head: 'time / Sling', contender: 'sling', of: 'time' },
  ],
  async filesOf(dir, rows, seed) {
    const file = join(dir, `plaintiffs-${rows}-${seed}.csv`);
    const cleanedFile = join(dir, `plaintiffs-${rows}-${seed}-cleaned.csv`);
    if (!existsSync(file)) await writeRows(file, COLUMNS, plaintiffsRows(seed, rows));
    if (!existsSync(cleanedFile)) await writeRows(cleanedFile, COLUMNS, cleanedRows(seed, rows));
    return { file, cleanedFile };
  },
  expected: (rows, seed) => ({ plaintiffs: countNatures(plaintiffsRows(seed, rows)).get('new') ?? 0 }),
  count: async (database) => ({ plaintiffs: await countRows(database, 'public.plaintiffs') }),
};
