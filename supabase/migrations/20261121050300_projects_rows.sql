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
  select array_agg(case when c.place > 14 and t.cell = '' then '0' else t.cell end order by c.place)
  from unnest($1) with ordinality as c (cell, place) cross join lateral (select ingest.trim_text(c.cell) as cell) t
$$;

-- The rows of a request, 1-based, as trimmed cells: a blank is '', a blank count (the last four) is '0'; and as the line that
-- is hashed. Most rows come trimmed: one look at all cells of a row, first for plain ASCII, is much cheaper than trimming each.
create or replace function ingest.project_rows(batch jsonb) returns table (row_index integer, cells text[], line text)
language sql immutable parallel safe set search_path = '' rows 5000
as $$
  select c.n::int, coalesce(t.cells, c.cells), case when t.cells is null then l.line else array_to_json(t.cells)::text end
  from (
    select x.n, array[
      coalesce(x.stage_application, ''), coalesce(x.delivery_partner, ''), coalesce(x.developer_class, ''), coalesce(x.relationship_manager, ''),
      coalesce(x.rm_preferred_username, ''), coalesce(x.deployment_specialist, ''), coalesce(x.stage_application_created, ''),
      coalesce(x.address, ''), coalesce(x.efscd, ''), coalesce(x.development_type, ''), coalesce(x.build_type, ''), coalesce(x.fod_id, ''),
      coalesce(x.latitude, ''), coalesce(x.longitude, ''), coalesce(nullif(x.residential, ''), '0'), coalesce(nullif(x.commercial, ''), '0'),
      coalesce(nullif(x.essential, ''), '0'), coalesce(nullif(x.premises_count, ''), '0')] as cells
    from rows from (jsonb_to_recordset($1) as (
      stage_application text, delivery_partner text, developer_class text, relationship_manager text, rm_preferred_username text,
      deployment_specialist text, stage_application_created text, address text, "eFscd" text, development_type text, build_type text,
      fod_id text, latitude text, longitude text, residential text, commercial text, essential text, premises_count text
    )) with ordinality as x (
      stage_application, delivery_partner, developer_class, relationship_manager, rm_preferred_username, deployment_specialist,
      stage_application_created, address, efscd, development_type, build_type, fod_id, latitude, longitude,
      residential, commercial, essential, premises_count, n)
  ) c
  cross join lateral (select array_to_json(c.cells)::text as line offset 0) l
  cross join lateral (
    select case when octet_length(l.line) > char_length(l.line) or strpos(l.line, '" ') + strpos(l.line, ' "') + strpos(l.line, '\') > 0
           then ingest.tidy_project_cells(c.cells) end as cells offset 0) t
$$;

create or replace function ingest.checksum_lines(lines text[]) returns text
language sql immutable parallel safe set search_path = ''
as $$ select encode(sha256(convert_to(coalesce(array_to_string($1, E'\n'), ''), 'UTF8')), 'hex') $$;

-- SHA-256 of the rows' cells, whatever the order of rows and keys; src/projects/checksum.ts is its twin. Only rows of one
-- stage_application keep their order, since the last of them wins.
create or replace function public.fn_rows_checksum(p_rows jsonb) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select ingest.checksum_lines(array_agg(r.line order by r.cells[1] collate "C", r.row_index)) from ingest.project_rows(p_rows) r
$$;
