/** Who may do what with the tables of projects: found out by trying every operation as everybody. */
import type postgres from 'postgres';

const ROLES = {
  viewerA: ['viewer', 'A'],
  operatorA: ['operator', 'A'],
  adminA: ['admin', 'A'],
  viewer: ['viewer', null],
  operator: ['operator', null],
  admin: ['admin', null],
} as const;
const idOf = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;

export interface Persona {
  readonly name: string;
  readonly role: string;
  /** Subject of the token. */
  readonly sub?: string;
}

export const PERSONAS: readonly Persona[] = [
  { name: 'anon', role: 'anon' },
  { name: 'nobody', role: 'authenticated', sub: idOf(9) },
  { name: 'no token', role: 'authenticated' },
  ...Object.keys(ROLES).map((name, i) => ({ name, role: 'authenticated', sub: idOf(i) })),
  { name: 'dragonfly_app', role: 'dragonfly_app' },
  { name: 'service_role', role: 'service_role' },
];

interface Table {
  /** What names a row: its tenant, `*` for rows of every tenant. */
  readonly label: string;
  /** Columns and values of a row for tenant `$tenant`. */
  readonly row: string;
  /** A column to write; created_at unless said otherwise. */
  readonly column?: string;
  /** Which rows nothing refers to, where that is not all. */
  readonly removable?: string;
}

const TENANT = "coalesce(tenant_id, '*')";
export const TABLES: Readonly<Record<string, Table>> = {
  projects: {
    label: TENANT,
    row: "(tenant_id, stage_application) VALUES (coalesce($tenant, 'C'), gen_random_uuid()::text)",
  },
  project_membership: {
    label: '(SELECT p.tenant_id FROM public.projects p WHERE p.id = project_id)',
    row: "(project_id, member_user_id) VALUES (CASE $tenant WHEN 'A' THEN -1 WHEN 'B' THEN -2 ELSE -3 END, gen_random_uuid())",
  },
  partner_org: {
    label: "CASE name WHEN 'a' THEN 'A' WHEN 'b' THEN 'B' ELSE '*' END",
    row: "(name) VALUES ('free')",
    removable: "name = 'free'",
  },
  staging_imports: {
    label: TENANT,
    row: "(tenant_id, raw, batch_checksum) VALUES (coalesce($tenant, 'C'), '[]', gen_random_uuid()::text)",
    column: 'imported_at',
  },
  import_anomalies: {
    label: TENANT,
    row: "(tenant_id, batch_id, anomaly_type) VALUES (coalesce($tenant, 'C'), 'b', 'UNKNOWN_DS')",
  },
  import_retention_stats: {
    label: "'*'",
    row: '(stat_date) VALUES (current_date + (random() * 1e6)::int)',
    column: 'last_updated_at',
  },
  partner_normalization: {
    label: TENANT,
    row: "(tenant_id, source_label, partner_org_id) VALUES ($tenant, gen_random_uuid()::text, '00000000-0000-4000-8000-0000000000aa')",
  },
  ds_directory: { label: TENANT, row: '(tenant_id, preferred_username) VALUES ($tenant, gen_random_uuid()::text)' },
  rm_directory: { label: TENANT, row: '(tenant_id, display_name) VALUES ($tenant, gen_random_uuid()::text)' },
  user_roles: {
    label: `role || ${TENANT}`,
    row: "(user_id, role, tenant_id) VALUES (gen_random_uuid(), 'admin', $tenant)",
  },
};

const insert = (table: string, tenant: string | null): string =>
  `INSERT INTO public.${table} ${TABLES[table]!.row.replaceAll('$tenant', tenant === null ? 'NULL::text' : `'${tenant}'`)}`;

/** A row of tenants A and B and, where there is such a thing, of every tenant, in each table; and the roles of the personas. */
export async function addRowsOfTenants(sql: postgres.Sql): Promise<void> {
  await sql`INSERT INTO public.partner_org (id, name) VALUES ('00000000-0000-4000-8000-0000000000aa', 'org'), (gen_random_uuid(), 'free'),
    ('00000000-0000-4000-8000-00000000000a', 'a'), ('00000000-0000-4000-8000-00000000000b', 'b')`;
  await sql`INSERT INTO public.projects (id, tenant_id, stage_application) VALUES (-1, 'A', 'a'), (-2, 'B', 'b'), (-3, 'C', 'c')`;
  await sql`UPDATE public.projects SET partner_org_id = ('00000000-0000-4000-8000-00000000000' || stage_application)::uuid WHERE id > -3`;
  for (const table of Object.keys(TABLES).filter((name) => !['projects', 'partner_org', 'user_roles'].includes(name))) {
    for (const tenant of ['A', 'B', null]) await sql.unsafe(insert(table, tenant));
  }
  for (const [i, [role, tenant]] of Object.values(ROLES).entries())
    await sql`INSERT INTO public.user_roles (user_id, role, tenant_id) VALUES (${idOf(i)}, ${role}, ${tenant})`;
}

/** Runs a statement as somebody and takes it back. @returns its rows, or `no` where the right is missing. */
export async function tryAs(
  tx: postgres.TransactionSql,
  { role, sub }: Persona,
  statement: string,
): Promise<Record<string, unknown>[] | 'no'> {
  let rows: Record<string, unknown>[] | 'no' = 'no';
  await tx
    .savepoint(async (point) => {
      await point`SELECT set_config('request.jwt.claims', ${sub === undefined ? '' : JSON.stringify({ sub, role })}, true)`;
      await point.unsafe(`SET LOCAL ROLE ${role}`);
      rows = (await point.unsafe(statement)).map((row) => ({ ...row }));
      throw new TakenBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof TakenBack) && (error as { code?: string }).code !== '42501') throw error;
    });
  return rows;
}

class TakenBack extends Error {}

/** What a persona reads, adds, changes and removes of a table: the labels of rows, `no` without the right to try. */
export async function accessTo(tx: postgres.TransactionSql, table: string, persona: Persona): Promise<string> {
  const { label, column = 'created_at', removable = 'true' } = TABLES[table]!;
  const labels = (rows: Record<string, unknown>[] | 'no'): string =>
    rows === 'no' ? 'no' : [...new Set(rows.map(({ l }) => l))].sort().join(' ') || '-';
  const added: string[] = [];
  for (const tenant of ['A', 'B', null])
    if ((await tryAs(tx, persona, insert(table, tenant))) !== 'no') added.push(tenant ?? '*');
  return [
    labels(await tryAs(tx, persona, `SELECT ${label} AS l FROM public.${table}`)),
    added.join(' ') || 'no',
    labels(await tryAs(tx, persona, `UPDATE public.${table} SET ${column} = ${column} RETURNING ${label} AS l`)),
    labels(await tryAs(tx, persona, `DELETE FROM public.${table} WHERE ${removable} RETURNING ${label} AS l`)),
  ].join(' | ');
}
