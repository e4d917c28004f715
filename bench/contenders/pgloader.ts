/** pgloader into a bare table: no key, no duplicates found, nothing promoted. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLAIN } from '../database.ts';
import { COLUMNS } from '../generators/plaintiffs.ts';
import { missingFromPath, run as runProgram, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const pgloader: Contender = {
  name: 'pgloader',
  about: 'pgloader into a bare table of text columns, file without ragged rows: no key, no promotion',
  missing: missingFromPath('pgloader'),
  run,
};

async function run({ stack, database, cleanedFile, workDir }: Course): Promise<Outcome> {
  await database.query(`create schema ${PLAIN}`);
  await database.query(`create table ${PLAIN}.bare (${COLUMNS.map((name) => `${name} text`).join(', ')})`);
  const command = join(workDir, 'bare.load');
  await writeFile(
    command,
    `
    load csv from '${cleanedFile}' having fields (${COLUMNS.join(', ')})
    into ${stack.databaseUrl}?tablename=${PLAIN}.bare
    target columns (${COLUMNS.join(', ')})
    with skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ',';`,
    { mode: 0o600 },
  );
  const seconds = await timed(() => runProgram('pgloader', ['--no-ssl-cert-verification', command]));
  return { seconds };
}
