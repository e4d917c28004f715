/** Who owns the embedded database: as in a hosted project, a role that is no superuser. Its password gives rows, never a program of the host. */
import postgres from 'postgres';
import { OWNER } from './state.ts';

/** Roles that the API takes for its callers. */
export const API_ROLES_SQL = `
DO $$ BEGIN
  IF to_regrole('anon') IS NULL THEN CREATE ROLE anon NOLOGIN NOINHERIT; END IF;
  IF to_regrole('authenticated') IS NULL THEN CREATE ROLE authenticated NOLOGIN NOINHERIT; END IF;
  IF to_regrole('service_role') IS NULL THEN CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS; END IF;
END $$`;

const OWNER_SQL = `
DO $$ BEGIN
  IF to_regrole('${OWNER}') IS NULL THEN CREATE ROLE ${OWNER}; END IF;
END $$;
ALTER ROLE ${OWNER} LOGIN NOSUPERUSER CREATEROLE BYPASSRLS;
DO $$
DECLARE member text;
BEGIN
  EXECUTE format('ALTER DATABASE %I OWNER TO ${OWNER}', current_database());
  FOR member IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'dragonfly_app', 'dragonfly_gateway') LOOP
    EXECUTE format('GRANT %I TO ${OWNER} WITH ADMIN OPTION', member);
  END LOOP;
END $$`;

/** What a database of an earlier version has: everything belongs to the superuser, default rights as well. */
const HANDOVER_SQL = `
DO $$
DECLARE
  statement text;
  mine constant oid := (SELECT oid FROM pg_roles WHERE rolname = current_user);
BEGIN
  FOR statement IN
    WITH spaces AS (
      SELECT oid, nspname FROM pg_namespace
      WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    ), of_extensions AS (
      SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
    )
    SELECT format('ALTER SCHEMA %I OWNER TO ${OWNER}', nspname)
    FROM pg_namespace WHERE nspowner = mine AND oid IN (SELECT oid FROM spaces)
    UNION ALL
    SELECT format('ALTER %s %s OWNER TO ${OWNER}',
                  CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE'
                               WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class c
    WHERE relowner = mine AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND relnamespace IN (SELECT oid FROM spaces)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = ANY (CASE relkind WHEN 'c' THEN ARRAY['e'::"char"] ELSE ARRAY['a'::"char", 'i', 'e'] END))
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO ${OWNER}', oid::regprocedure)
    FROM pg_proc
    WHERE proowner = mine AND pronamespace IN (SELECT oid FROM spaces)
      AND ('pg_proc'::regclass::oid, oid) NOT IN (SELECT classid, objid FROM of_extensions)
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO ${OWNER}', oid::regtype)
    FROM pg_type
    WHERE typowner = mine AND typtype IN ('e', 'd', 'r') AND typnamespace IN (SELECT oid FROM spaces)
      AND ('pg_type'::regclass::oid, oid) NOT IN (SELECT classid, objid FROM of_extensions)
    UNION ALL
    SELECT format('ALTER STATISTICS %I.%I OWNER TO ${OWNER}', stxnamespace::regnamespace, stxname)
    FROM pg_statistic_ext WHERE stxowner = mine
    UNION ALL
    -- An API of before gave these to everybody.
    SELECT format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON %s FROM anon, authenticated', s.nspname,
                  CASE d.defaclobjtype WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END)
    FROM pg_default_acl d JOIN spaces s ON s.oid = d.defaclnamespace
    WHERE d.defaclrole = mine AND d.defaclobjtype IN ('r', 'S')
  LOOP
    EXECUTE statement;
  END LOOP;
END $$`;

/**
 * Makes the owner, gives it its password and everything that the superuser owns. Repeatable, and quick when there is nothing to give.
 * @param adminUrl a superuser's address of the database.
 * @throws the driver's error.
 */
export async function giveToOwner(adminUrl: string, password: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql.begin(async (transaction) => {
      for (const statement of [API_ROLES_SQL, OWNER_SQL, HANDOVER_SQL]) await transaction.unsafe(statement);
      // A statement like this one takes no parameters; the password is of letters, digits, "-" and "_".
      await transaction.unsafe(`ALTER ROLE ${OWNER} PASSWORD '${password}'`);
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
