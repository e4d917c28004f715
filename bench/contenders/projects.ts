/** One batch into 50,000 projects: by a loop, by Intake's merge, and posted to the gateway. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { startGateway, type RunningGateway } from '../../src/gateway/server.ts';
import { loadConfig } from '../../src/config.ts';
import { SMALL_PROCESS } from '../../src/local/environment.ts';
import { createLogger } from '../../src/observability/log.ts';
import { workflowBundle } from '../../src/workflows/bundle.ts';
import { projectRows } from '../generators/projects.ts';
import { timed } from '../programs.ts';
import { startWorkerProcess } from '../workerProcess.ts';
import type { Contender, Course, Outcome } from './contender.ts';
import { configurationOf } from './intake.ts';

const TENANT = 'BENCH';
const BATCH = 5000;
const PROJECTS = 50_000;
const SECRET = 'bench';

const LOOP = readFileSync(new URL('./projectsLoop.sql', import.meta.url), 'utf8');
const DIRECTORIES = `
  with orgs as (insert into public.partner_org (name) select 'Partner ' || n from generate_series(0, $1::int - 1) n returning id, name)
  insert into public.partner_normalization (source_label, partner_org_id) select name, id from orgs`;
const PEOPLE = [
  `insert into public.ds_directory (preferred_username, user_id) select 'SPECIALIST ' || n, gen_random_uuid() from generate_series(0, $1::int - 1) n`,
  `insert into public.rm_directory (display_name, user_id) select 'Manager ' || n, gen_random_uuid() from generate_series(0, $1::int - 1) n`,
];

/** Directories of so many entries, 50,000 projects merged by their names, and statistics of all. */
async function prepare({ database }: Pick<Course, 'database'>, entries: number, projects = PROJECTS): Promise<void> {
  for (const statement of [DIRECTORIES, ...PEOPLE]) await database.query(statement, [entries]);
  for (let from = 0; from < projects; from += BATCH) {
    await database.query(`select ${MERGE}`, [
      TENANT,
      `before ${from}`,
      JSON.stringify(projectRows(Math.min(BATCH, projects - from), entries, from)),
    ]);
  }
  await database.query('delete from public.import_anomalies');
  await database.query(
    'vacuum analyze public.projects, public.project_membership, public.staging_imports, public.partner_normalization, public.ds_directory, public.rm_directory',
  );
  await database.query('checkpoint');
}

const MERGE = `public.fn_projects_import_merge($1, 'bench', $2, $3::jsonb)`;

function statement(
  name: string,
  about: string,
  entries: number,
  projects: number | undefined,
  merge: (database: Client, rows: string) => Promise<unknown>,
): Contender {
  return {
    name: `${name}-${entries}`,
    about: `${about}, directories of ${entries}`,
    missing: () => undefined,
    async run(course): Promise<Outcome> {
      await prepare(course, entries, projects);
      await course.database.query(LOOP);
      const rows = JSON.stringify(projectRows(course.rows, entries, 0, 1));
      return {
        seconds: await timed(async () => void (await merge(course.database, rows))),
        counts: await course.count(),
      };
    },
  };
}

/** @param projects how many there are before; 50,000. */
export const loop = (entries: number, projects?: number): Contender =>
  statement('loop', 'a PL/pgSQL loop, row after row', entries, projects, (database, rows) =>
    database.query('select bench_plain.merge_row_by_row($1, $2::jsonb)', [TENANT, rows]),
  );

export const merge = (entries: number, projects?: number): Contender =>
  statement('merge', "Intake's fn_projects_import_merge", entries, projects, (database, rows) =>
    database.query(`select ${MERGE}`, [TENANT, 'batch', rows]),
  );

/** POST /import-projects, from the client's first byte to its answer. */
export const gateway: Contender = {
  name: 'gateway-40',
  about: 'POST /import-projects: body, checks, workflow, merge, answer',
  missing: () => undefined,
  run: (course) => posted(course, { before: () => prepare(course, 40) }),
};

export const replayElsewhere: Contender = {
  name: 'replay-new-40',
  about: 'the same POST again, to another gateway, which reads it',
  missing: () => undefined,
  follows: gateway.name,
  run: (course) => posted(course),
};

export const replay: Contender = {
  name: 'replay-40',
  about: 'the same POST again, to the gateway that had it, as a client repeats it',
  missing: () => undefined,
  follows: replayElsewhere.name,
  run: (course) => posted(course, { twice: true }),
};

/** @param options.twice whether the gateway has had the batch before the clock starts. */
async function posted(
  course: Course,
  { before, twice = false }: { before?: () => Promise<void>; twice?: boolean } = {},
): Promise<Outcome> {
  const { env, config } = configurationOf(course);
  workflowBundle(join(config.dir, 'cache'));
  await before?.();
  const worker = await startWorkerProcess({ ...env, ...SMALL_PROCESS }, course.workDir);
  const running = await startGateway(
    loadConfig({ ...env, INTAKE_PORT: '0', PROJECTS_IMPORT_BEARER: `${TENANT}=${SECRET},WARM=${SECRET}-warm` }),
    createLogger('error'),
  );
  try {
    // The first workflow of a worker and the first request of a gateway are compiled on the way: another tenant's.
    await post(running, 'WARM', `${SECRET}-warm`, projectRows(1, 1));
    await course.database.query(`delete from public.import_anomalies where tenant_id = 'WARM'`);
    const rows = projectRows(course.rows, 40, 0, 1);
    if (twice) await post(running, TENANT, SECRET, rows);
    const seconds = await timed(async () => post(running, TENANT, SECRET, rows));
    await course.database.query(`delete from public.projects where tenant_id = 'WARM'`);
    const peak = worker.peakMb();
    return { seconds, counts: await course.count(), ...(peak === undefined ? {} : { workerPeakMb: peak }) };
  } finally {
    await running.shutdown();
    await worker.stop();
  }
}

async function post({ url }: RunningGateway, tenant: string, secret: string, rows: readonly object[]): Promise<void> {
  const response = await fetch(`${url}/import-projects`, {
    method: 'POST',
    body: JSON.stringify({ tenant_id: tenant, batch_id: 'batch', source: 'bench', rows }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
  });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
