/** What a database has in our schemas, to compare two of them. */
import type postgres from 'postgres';

/** Rights in one order: they are listed as they were granted. */
const rights = (column: string): string => `SELECT array_agg(a::text ORDER BY a::text) FROM unnest(${column}) a`;

/** Everything a migration can make, grant or explain there, as text. */
const CATALOG = `
  WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'ingest', 'ingest_stage'))
  SELECT 'schema ' || nspname || ' ' || coalesce((${rights('nspacl')})::text, '') AS item FROM pg_namespace WHERE oid IN (SELECT oid FROM ours)
  UNION ALL SELECT format('%s %s %s %s %s', relkind, c.oid::regclass, relpersistence, relrowsecurity, (${rights('relacl')})) || coalesce(reloptions::text, '')
    FROM pg_class c JOIN ours ON ours.oid = relnamespace
  UNION ALL SELECT format('column %s %s %s %s %s %s %s %s %s', attrelid::regclass, CASE WHEN relkind = 'r' THEN '' ELSE attnum::text END, attname,
      format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), format('%s%s%s', attidentity, attgenerated, attstorage), attcollation::regcollation, (${rights('attacl')}))
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN ours ON ours.oid = relnamespace LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND relkind IN ('r', 'v', 'c') AND NOT attisdropped
  UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k JOIN ours ON ours.oid = connamespace
  UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN ours ON ours.oid = relnamespace
  UNION ALL SELECT pg_get_functiondef(p.oid) || coalesce((${rights('proacl')})::text, '') FROM pg_proc p JOIN ours ON ours.oid = pronamespace
  UNION ALL SELECT format('view %s %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM pg_class c JOIN ours ON ours.oid = relnamespace WHERE relkind = 'v'
  UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN ours ON ours.oid = relnamespace WHERE NOT tgisinternal
  UNION ALL SELECT format('policy %s %s %s %s %s %s', polrelid::regclass, polname, polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
  UNION ALL SELECT format('defaults %s %s %s', nspname, defaclobjtype, (${rights('defaclacl')})) FROM pg_default_acl JOIN ours ON ours.oid = defaclnamespace
  UNION ALL SELECT 'comment ' || pg_describe_object(classoid, objoid, objsubid) || ' ' || description FROM pg_description WHERE objoid >= 16384
  ORDER BY 1`;

/** One line for each thing, without the name of its owner; the order of a table's columns does not count. */
export async function catalogOf(sql: postgres.Sql): Promise<string[]> {
  const [me] = await sql`SELECT current_user AS name`;
  const rows = await sql.unsafe(CATALOG);
  return rows.map(({ item }) => String(item).replaceAll(String(me!['name']), 'owner'));
}
