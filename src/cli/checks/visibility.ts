/** Whether a role sees rows: over the Supabase API by its key, over SQL by taking the role in a transaction. */
import { DatabaseError } from 'pg';
import { openConnection } from '../../database/connection.ts';
import { transportFault } from '../../database/transport.ts';
import { sqlError } from '../../database/sqlError.ts';
import type { SupabaseConfig } from '../../config.ts';

export interface Question {
  /** `schema.table` */
  readonly table: string;
  /** Only rows whose column has this value. */
  readonly where?: readonly [column: string, value: string];
}

/** How many rows; or that the role may not look, or may (where only its rights could be asked), or that there is no such thing. */
export type Seen = number | 'denied' | 'granted' | 'missing';

export interface Visibility {
  readonly via: 'api' | 'sql';
  /** Whose view can be taken. */
  readonly roles: readonly string[];
  /** @throws IntakeError when the database or the API does not answer. */
  count(role: string, question: Question): Promise<Seen>;
  close(): Promise<void>;
}

/** A signed-in user's view needs a user: `authenticated` is asked over SQL only. */
export function apiVisibility({ url, serviceKey, anonKey }: SupabaseConfig): Visibility {
  const keys = new Map([['service_role', serviceKey], ...(anonKey ? [['anon', anonKey] as const] : [])]);
  return {
    via: 'api',
    roles: [...keys.keys()],
    async count(role, { table, where }) {
      const [schema = '', name] = table.split('.');
      const key = keys.get(role) as string;
      const filter = where ? `&${where[0]}=eq.${where[1]}` : '';
      const response = await fetch(`${url}/rest/v1/${name}?select=*&limit=1${filter}`, {
        method: 'HEAD',
        headers: { apikey: key, authorization: `Bearer ${key}`, 'accept-profile': schema, prefer: 'count=exact' },
        signal: AbortSignal.timeout(60_000),
      }).catch((cause: unknown) => {
        throw transportFault(cause, { who: 'The API', code: 'DATABASE_UNAVAILABLE', setting: 'SUPABASE_URL' });
      });
      if ([401, 403, 404, 406].includes(response.status)) return 'denied';
      const [, total] = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? [];
      if (!response.ok || total === undefined) throw sqlError({}, response.status);
      return Number(total);
    },
    close: async () => undefined,
  };
}

/** @throws IntakeError when the database cannot be reached. */
export async function sqlVisibility(databaseUrl: string): Promise<Visibility> {
  const client = await openConnection(databaseUrl, 'intake smoke');
  return {
    via: 'sql',
    roles: ['service_role', 'dragonfly_app', 'anon', 'authenticated'],
    async count(role, question) {
      const taken = await inTransaction(`set local role ${client.escapeIdentifier(role)}`, question);
      return taken === 'role refused' ? rights(role, question) : taken;
    },
    close: () => client.end(),
  };

  async function inTransaction(takeRole: string, { table, where }: Question): Promise<Seen | 'role refused'> {
    let ours = false;
    try {
      await client.query('begin read only');
      await client.query(takeRole);
      ours = true;
      const { rows } = await client.query<{ n: string }>(
        `select count(*) as n from ${table}${where ? ` where ${where[0]} = $1` : ''}`,
        where ? [where[1]] : [],
      );
      return Number(rows[0]?.n);
    } catch (error) {
      const state = error instanceof DatabaseError ? error.code : undefined;
      if (state === '42501') return ours ? 'denied' : 'role refused';
      if (state === '42P01' || state === '3F000' || state === '22023') return 'missing';
      throw sqlError(error);
    } finally {
      await client.query('rollback').catch(() => undefined);
    }
  }

  /** The connection's user may not take every role: what that role may read is known all the same. */
  async function rights(role: string, { table }: Question): Promise<Seen> {
    const { rows } = await client.query<{ granted: boolean }>(RIGHTS, [role, table]).catch((error: unknown) => {
      throw sqlError(error);
    });
    return rows[0] === undefined ? 'missing' : rows[0].granted ? 'granted' : 'denied';
  }
}

/** Grants alone let nobody read a table with row level security: a policy for the role must be there, too. */
const RIGHTS = `
  select has_schema_privilege(r.oid, c.relnamespace, 'usage') and has_table_privilege(r.oid, c.oid, 'select')
         and (not c.relrowsecurity or r.rolbypassrls or exists (
           select from pg_catalog.pg_policy p
           where p.polrelid = c.oid and p.polcmd in ('r', '*')
             and exists (select from unnest(p.polroles) o where o = 0 or pg_has_role(r.oid, o, 'member')))) as granted
  from pg_catalog.pg_roles r, pg_catalog.pg_class c
  where r.rolname = $1 and c.oid = to_regclass($2)`;
