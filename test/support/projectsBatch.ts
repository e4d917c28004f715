/** Batches of project rows merged by SQL calls alone, and the directories they are resolved in. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import type { JsonCells } from '../../src/sources/projects/checksum.ts';

export interface Metrics {
  readonly inserted_projects: number;
  readonly updated_projects: number;
  readonly org_memberships_upserted: number;
  readonly user_memberships_upserted: number;
  readonly anomalies_count: number;
  readonly values_cleared: number;
  readonly memberships_removed: number;
  readonly staging_id: string;
}

export interface BatchOptions {
  readonly tenant?: string;
  readonly batch?: string;
  readonly correlation?: string;
}

/** One call of the merge function. */
export async function merge(
  sql: postgres.Sql,
  rows: readonly JsonCells[],
  { tenant = 'TELCO', batch = 'batch-1', correlation }: BatchOptions = {},
): Promise<Metrics> {
  const [metrics] = await sql<Metrics[]>`
    SELECT m.* FROM public.fn_projects_import_merge(${tenant}, 'projects-import', ${batch}, ${sql.json(rows as never)}, ${correlation ?? null}::uuid) m`;
  return { ...metrics! };
}

/** Metrics without the staging id, in the order inserted, updated, organisations, users, anomalies. */
export const numbersOf = (m: Metrics): number[] => [
  m.inserted_projects,
  m.updated_projects,
  m.org_memberships_upserted,
  m.user_memberships_upserted,
  m.anomalies_count,
];

export interface Directories {
  readonly org: string;
  readonly otherOrg: string;
  readonly ds: string;
  readonly otherDs: string;
  readonly rm: string;
}

/** Partners `Acme` and `Other`, specialists `DS_A` and `DS_B`, manager `First Last` (`RM_A`): known to every tenant. */
export async function addDirectories(sql: postgres.Sql): Promise<Directories> {
  const [org, otherOrg, ds, otherDs, rm] = Array.from({ length: 5 }, () => randomUUID()) as [
    string,
    string,
    string,
    string,
    string,
  ];
  await sql`INSERT INTO ingest.tenants (tenant_id) VALUES ('TELCO') ON CONFLICT DO NOTHING`;
  await sql`INSERT INTO public.partner_org (id, name) VALUES (${org}, 'Acme Pty Ltd'), (${otherOrg}, 'Other Pty Ltd')`;
  await sql`INSERT INTO public.partner_normalization (source_label, partner_org_id) VALUES ('Acme', ${org}), ('Other', ${otherOrg})`;
  await sql`INSERT INTO public.ds_directory (preferred_username, user_id) VALUES ('DS_A', ${ds}), ('DS_B', ${otherDs})`;
  await sql`INSERT INTO public.rm_directory (display_name, preferred_username, user_id) VALUES ('First Last', 'RM_A', ${rm})`;
  return { org, otherOrg, ds, otherDs, rm };
}

/** Empties every table of the projects. */
export async function forgetProjects(sql: postgres.Sql): Promise<void> {
  await sql`TRUNCATE public.projects, public.project_membership, public.staging_imports, public.import_anomalies, public.import_retention_stats,
            public.partner_normalization, public.ds_directory, public.rm_directory, public.partner_org, public.user_roles, ingest.project_edits CASCADE`;
}
