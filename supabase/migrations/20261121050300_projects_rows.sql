-- From the rows of a request to cells, their checksum, and values.

-- Runbook 003's classes; any other is null.
create or replace function public.fn_normalize_developer_class(p_class text) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select case coalesce(substring(c.class from '^(?:class ?)?([1-4])(?: ?[-:(].*)?$'), c.class)
         when '1' then 'Key Strategic' when 'key strategic' then 'Key Strategic'
         when '2' then 'Managed' when 'managed' then 'Managed'
         when '3' then 'Inbound' when '4' then 'Inbound' when 'inbound' then 'Inbound' end
  from (select ingest.normalize_text(p_class) as class) c
$$;

-- An ISO date or timestamp (the date as written) or a numeric date with the day first; null for what is no date.
create or replace function ingest.parse_project_date(value text) returns date
language plpgsql immutable strict parallel safe set search_path = ''
as $$
declare
  v_parts text[];
  v_year integer;
  v_month integer;
  v_day integer;
begin
  if value ~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$' then
    v_year := left(value, 4);
    v_month := substr(value, 6, 2);
    v_day := substr(value, 9, 2);
  elsif value ~ '^\d{1,2}([-/.])\d{1,2}\1\d{4}$' then
    v_parts := string_to_array(translate(value, '/.', '--'), '-');
    v_year := v_parts[3];
    v_month := v_parts[2];
    v_day := v_parts[1];
  end if;
  if v_year > 0 and v_month between 1 and 12 and v_day > 0
     and v_day <= extract(day from make_date(v_year, v_month, 1) + interval '1 month' - interval '1 day') then
    return make_date(v_year, v_month, v_day);
  end if;
  return null;
end
$$;

create or replace function ingest.tidy_project_cells(cells text[]) returns text[]
language sql immutable parallel safe set search_path = ''
as $$
  select array_agg(coalesce(nullif(ingest.trim_text(c.cell), ''), case when c.place > 14 then '0' end) order by c.place)
  from unnest($1) with ordinality as c (cell, place)
$$;

-- The rows of a request, 1-based, as trimmed cells: a blank is null, a blank count (the last four) is 0. Most rows come
-- trimmed: one look at all cells of a row, first for plain ASCII, is much cheaper than trimming each.
create or replace function ingest.project_rows(batch jsonb) returns table (row_index integer, cells text[])
language sql immutable parallel safe set search_path = '' rows 5000
as $$
  select r.n::int,
         case when octet_length(l.line) = char_length(l.line) and strpos(l.line, '" ') + strpos(l.line, ' "') + strpos(l.line, '\') = 0
           then array_replace(r.cells, '', null)
         when l.line ~ '"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\\]|[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"|\\[bfnrt]"|\\u00[01][0-9a-f]"'
           then ingest.tidy_project_cells(r.cells) else array_replace(r.cells, '', null) end
  from (
    select x.n, array[
      x.stage_application, x.delivery_partner, x.developer_class, x.relationship_manager, x.rm_preferred_username, x.deployment_specialist,
      x.stage_application_created, x.address, x.efscd, x.development_type, x.build_type, x.fod_id, x.latitude, x.longitude,
      coalesce(nullif(x.residential, ''), '0'), coalesce(nullif(x.commercial, ''), '0'),
      coalesce(nullif(x.essential, ''), '0'), coalesce(nullif(x.premises_count, ''), '0')] as cells
    from rows from (jsonb_to_recordset($1) as (
      stage_application text, delivery_partner text, developer_class text, relationship_manager text, rm_preferred_username text,
      deployment_specialist text, stage_application_created text, address text, "eFscd" text, development_type text, build_type text,
      fod_id text, latitude text, longitude text, residential text, commercial text, essential text, premises_count text
    )) with ordinality as x (
      stage_application, delivery_partner, developer_class, relationship_manager, rm_preferred_username, deployment_specialist,
      stage_application_created, address, efscd, development_type, build_type, fod_id, latitude, longitude,
      residential, commercial, essential, premises_count, n)
  ) r
  cross join lateral (select array_to_json(r.cells)::text as line offset 0) l
$$;

create or replace function ingest.checksum_lines(lines text[]) returns text
language sql immutable parallel safe set search_path = ''
as $$ select encode(sha256(convert_to(coalesce(array_to_string($1, E'\n'), ''), 'UTF8')), 'hex') $$;

-- SHA-256 of the rows' cells, whatever the order of rows and keys; src/projects/checksum.ts is its twin. Only rows of one
-- stage_application keep their order, since the last of them wins.
create or replace function public.fn_rows_checksum(p_rows jsonb) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select ingest.checksum_lines(array_agg(array_to_json(r.cells)::text order by coalesce(r.cells[1], '') collate "C", r.row_index))
  from ingest.project_rows(p_rows) r
$$;
