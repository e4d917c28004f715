/** Who may do what in a database, as it is, and how that differs from what the migrations give. */
import { readFileSync } from 'node:fs';

export const IDENTITIES = ['anon', 'authenticated', 'service_role', 'dragonfly_app', 'dragonfly_gateway'] as const;
export type Identity = (typeof IDENTITIES)[number];

/** By letters of LETTERS, one text for each of IDENTITIES. */
export type Rights = readonly string[];

export const LETTERS = {
  r: 'select',
  a: 'insert',
  w: 'update',
  d: 'delete',
  D: 'truncate',
  x: 'references',
  t: 'trigger',
  U: 'usage',
  C: 'create',
  X: 'execute',
} as const;

const letters = (kind: 'table' | 'schema' | 'function', signs: string): string =>
  [...signs]
    .map(
      (sign) =>
        `case when has_${kind}_privilege(i.name, o.oid, '${LETTERS[sign as keyof typeof LETTERS]}') then '${sign}' else '' end`,
    )
    .join(' || ');

/** Each relation, function and schema of Intake with the rights of IDENTITIES; a function by the types of its arguments. */
export const RIGHTS_QUERY = `
  with i as (select name, n from unnest(array[${IDENTITIES.map((name) => `'${name}'`).join(', ')}]) with ordinality as u (name, n)),
  ours as (select oid, nspname from pg_catalog.pg_namespace where nspname in ('public', 'ingest', 'ingest_stage'))
  select kind || ' ' || object as object, array_agg(rights order by n) as rights from (
    select 'schema' as kind, o.nspname::text as object, i.n, ${letters('schema', 'UC')} as rights from ours o cross join i where o.nspname <> 'public'
    union all
    select 'relation', s.nspname || '.' || o.relname, i.n, ${letters('table', 'rawdDxt')}
    from pg_catalog.pg_class o join ours s on s.oid = o.relnamespace cross join i where o.relkind in ('r', 'v', 'm', 'p')
    union all
    select 'function', s.nspname || '.' || o.proname || '(' || oidvectortypes(o.proargtypes) || ')', i.n, ${letters('function', 'X')}
    from pg_catalog.pg_proc o join ours s on s.oid = o.pronamespace cross join i where o.prokind = 'f') found
  group by kind, object order by kind desc, object`;

export interface RightsRow {
  readonly object: string;
  readonly rights: Rights;
}

/** A right too many, or one that is missing. */
export interface RightsFault {
  readonly object: string;
  readonly identity: Identity;
  readonly may: boolean;
  readonly right: string;
  /** What mends it. */
  readonly statement: string;
}

/** As `npm run audit:rights` found them after the migrations. */
const expectedRights = (): Readonly<Record<string, Rights>> =>
  JSON.parse(readFileSync(new URL('../../supabase/rights.json', import.meta.url), 'utf8')) as Record<string, Rights>;

/**
 * Where a database differs. What others added is theirs, and so is what is not there. A project gives the service key everything in
 * public: that is no fault.
 */
export function rightsFaults(found: readonly RightsRow[]): RightsFault[] {
  const all = expectedRights();
  return found.flatMap(({ object, rights }) => {
    const expected = all[object];
    if (!expected) return [];
    return IDENTITIES.flatMap((identity, i) =>
      (Object.keys(LETTERS) as (keyof typeof LETTERS)[]).flatMap((sign) => {
        const [may, should] = [rights[i]!.includes(sign), expected[i]!.includes(sign)];
        if (may === should || (may && identity === 'service_role')) return [];
        const right = LETTERS[sign];
        const target = object.replace(/^relation /, '');
        const statement = `${may ? 'revoke' : 'grant'} ${right} on ${target} ${may ? 'from' : 'to'} ${identity}`;
        return [{ object, identity, may, right, statement }];
      }),
    );
  });
}
