/** A database as a new Supabase project has it: an owner who is no superuser, and defaults that grant everything to the API's roles. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';

export interface Project {
  /** Connects as the owner, the counterpart of a project's `postgres`. */
  readonly databaseUrl: string;
  drop(): Promise<void>;
}

/** @param adminUrl a superuser's connection to the server. */
export async function createProject(adminUrl: string): Promise<Project> {
  const id = randomUUID().replaceAll('-', '');
  const [name, owner] = [`project_${id}`, `owner_${id}`];
  const urlAs = (database: string, user?: string): string => {
    const url = new URL(adminUrl);
    url.pathname = `/${database}`;
    if (user) [url.username, url.password] = [user, id];
    return url.href;
  };
  await statements(adminUrl, [
    ...['anon', 'authenticated', 'service_role'].map(
      (role) => `
      DO $$ BEGIN CREATE ROLE ${role} NOLOGIN NOINHERIT ${role === 'service_role' ? 'BYPASSRLS' : ''};
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
    ),
    `CREATE ROLE ${owner} LOGIN CREATEROLE CREATEDB BYPASSRLS NOSUPERUSER PASSWORD '${id}'`,
    `CREATE DATABASE ${name} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8'`,
  ]);
  const kinds = ['TABLES', 'FUNCTIONS', 'SEQUENCES'];
  await statements(urlAs(name, owner), [
    'GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role',
    ...kinds.map(
      (kind) => `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON ${kind} TO anon, authenticated, service_role`,
    ),
  ]);
  return {
    databaseUrl: urlAs(name, owner),
    async drop() {
      // What it granted and made beyond its database (a role, on a new server) goes with it.
      await statements(adminUrl, [
        `DROP DATABASE ${name} WITH (FORCE)`,
        `REASSIGN OWNED BY ${owner} TO CURRENT_USER`,
        `DROP OWNED BY ${owner}`,
        `DROP ROLE ${owner}`,
      ]);
    },
  };
}

async function statements(url: string, texts: readonly string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    for (const text of texts) await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}
