/** Intake's own SQL without Temporal, Node and parsing: prepared parts, two psql at a time. */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import stageRows, { COMMON_COLUMNS } from '../../src/staging/stageRows.ts';
import { parseHeader } from '../../src/sources/csv/header.ts';
import { scanFile } from '../../src/sources/csv/scanFile.ts';
import { kindNamed } from '../../src/kinds/index.ts';
import { missingFromPath, psql, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';
import { configurationOf } from './intake.ts';

const CONNECTIONS = 2;
const KIND = kindNamed('plaintiffs');

export const ownSqlPsql: Contender = {
  name: 'own-sql-psql',
  about: `Intake's own SQL by psql on ${CONNECTIONS} connections over parts that were parsed before the clock started`,
  missing: missingFromPath('psql'),
  run,
};

interface Part {
  readonly path: string;
  readonly rows: number;
  readonly errored: number;
}

interface Prepared {
  readonly stageId: string;
  readonly rows: number;
  readonly partitions: number;
  readonly parts: readonly Part[];
}

/** The file in the parts that Intake's worker would send, in COPY's format. */
async function prepare(course: Course, folder: string): Promise<Prepared> {
  const { config } = configurationOf(course);
  const dialect = { delimiter: ',', newline: 'lf', encoding: 'utf-8', bomBytes: 0 } as const;
  const file = await open(course.file);
  try {
    const read = async (offset: number, length: number): Promise<Buffer> =>
      (await file.read(Buffer.alloc(length), 0, length, offset)).buffer;
    const { rows, chunks, headerLength } = await scanFile(course.file, {
      ...dialect,
      certain: true,
      chunkBytes: config.chunkBytes,
    });
    const header = parseHeader(await read(0, headerLength), dialect);
    const partitions = Math.max(1, Math.ceil(rows / config.partitionRows));
    const stageId = randomUUID();
    const parts: Part[] = [];
    for (const [chunk, { offset, length, line, firstRow }] of chunks.entries()) {
      const { payload, rows, errored } = stageRows({
        ...dialect,
        bytes: await read(offset, length),
        header,
        line,
        firstRow,
        format: 'copy',
        kind: KIND.name,
        sourceSystem: KIND.defaultSource,
        dateOrder: 'mdy',
        map: {},
        partitions,
        stageId,
        chunk,
      });
      const path = join(folder, `part-${chunk}`);
      await writeFile(path, payload);
      parts.push({ path, rows, errored });
    }
    return { stageId, rows, partitions, parts };
  } finally {
    await file.close();
  }
}

const COLUMNS = ['stage_id', 'chunk', ...COMMON_COLUMNS, ...KIND.stageColumns].join(', ');

const copyPart = (stageId: string, { path, rows, errored }: Part, chunk: number): string => `
begin;
insert into ingest_stage.chunks (stage_id, kind, chunk, rows, errored) values ('${stageId}', '${KIND.name}', ${chunk}, ${rows}, ${errored});
\\copy ingest_stage.${KIND.table} (${COLUMNS}) from '${path}'
commit;`;

/** Each connection takes every n-th script. */
const dealt = (scripts: readonly string[]): string[] =>
  Array.from({ length: CONNECTIONS }, (_, lane) => scripts.filter((_, i) => i % CONNECTIONS === lane).join('\n'));

async function run(course: Course): Promise<Outcome> {
  const {
    stack: { databaseUrl },
    database,
    workDir,
  } = course;
  const folder = join(workDir, 'parts');
  await mkdir(folder, { recursive: true });
  try {
    const { stageId, rows, partitions, parts } = await prepare(course, folder);
    const seconds = await timed(async () => {
      const opened = await database.query<{ run: string; lease: number }>(
        `select r ->> 'run_id' as run, (r ->> 'lease')::int as lease
         from ingest.open_import_run($1, 'own-sql', 'own-sql', 'plaintiffs.csv', $2, 'bench') as r`,
        [KIND.defaultSource, KIND.name],
      );
      const { run, lease } = opened.rows[0] as { run: string; lease: number };
      await Promise.all(
        dealt(parts.map((part, chunk) => copyPart(stageId, part, chunk))).map((script) => psql(databaseUrl, script)),
      );
      const upserts = Array.from(
        { length: partitions },
        (_, part) => `select ingest.upsert_partition('${run}', ${lease}, '${stageId}', ${parts.length}, ${part});`,
      );
      await Promise.all(dealt(upserts).map((script) => psql(databaseUrl, script)));
      await psql(
        databaseUrl,
        `
        select ingest.record_result('${run}', ${lease}, ${rows}, '{}');
        select ingest.settle_import_run('${run}', ${lease}, ${rows});
        select ingest.clear_stage('${stageId}', '${KIND.name}');`,
      );
    });
    return { seconds, counts: await course.count() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
