-- The import that most write first: a loop over the rows, one statement after the other for each. It does what the merge does: a
-- staging row, look-ups, the project, its members, an anomaly for each unknown name. It leaves out that former members go.
create schema bench_plain;
create function bench_plain.merge_row_by_row(p_tenant text, p_rows jsonb) returns integer
language plpgsql set search_path = public
as $$
declare
  v_row jsonb;
  v_index integer := 0;
  v_staging uuid;
  v_project bigint;
  v_org uuid;
  v_specialist uuid;
  v_manager uuid;
begin
  -- Not noted as somebody's edits, row after row: the merge's writes are not, either.
  perform set_config('intake.own_writes', 'yes', true);
  insert into staging_imports (tenant_id, raw, batch_checksum, row_count)
  values (p_tenant, p_rows, fn_rows_checksum(p_rows), jsonb_array_length(p_rows)) returning id into v_staging;
  for v_row in select * from jsonb_array_elements(p_rows) loop
    v_index := v_index + 1;
    v_org := null;
    v_specialist := null;
    v_manager := null;
    select partner_org_id into v_org from partner_normalization
    where lower(trim(source_label)) = lower(trim(v_row ->> 'delivery_partner')) limit 1;
    select user_id into v_specialist from ds_directory
    where lower(trim(preferred_username)) = lower(trim(v_row ->> 'deployment_specialist')) and status = 'active' limit 1;
    select user_id into v_manager from rm_directory
    where lower(trim(display_name)) = lower(trim(v_row ->> 'relationship_manager')) and status = 'active' limit 1;

    insert into projects (
      tenant_id, stage_application, delivery_partner_label, partner_org_id, developer_class, deployment_specialist, deployment_specialist_user_id,
      relationship_manager, relationship_manager_user_id, stage_application_created, residential, commercial, essential, premises_count, address,
      efscd, development_type, build_type, fod_id, latitude, longitude, staging_id)
    values (
      p_tenant, trim(v_row ->> 'stage_application'), nullif(trim(v_row ->> 'delivery_partner'), ''), v_org,
      fn_normalize_developer_class(v_row ->> 'developer_class'), nullif(trim(v_row ->> 'deployment_specialist'), ''), v_specialist,
      nullif(trim(v_row ->> 'relationship_manager'), ''), v_manager, nullif(v_row ->> 'stage_application_created', '')::date,
      coalesce(nullif(trim(v_row ->> 'residential'), '')::int, 0), coalesce(nullif(trim(v_row ->> 'commercial'), '')::int, 0),
      coalesce(nullif(trim(v_row ->> 'essential'), '')::int, 0), coalesce(nullif(trim(v_row ->> 'premises_count'), '')::int, 0),
      nullif(trim(v_row ->> 'address'), ''), nullif(v_row ->> 'eFscd', '')::date, nullif(trim(v_row ->> 'development_type'), ''),
      nullif(trim(v_row ->> 'build_type'), ''), nullif(trim(v_row ->> 'fod_id'), ''), nullif(v_row ->> 'latitude', '')::numeric,
      nullif(v_row ->> 'longitude', '')::numeric, v_staging)
    on conflict (tenant_id, stage_application) do update set
      delivery_partner_label = excluded.delivery_partner_label, partner_org_id = excluded.partner_org_id, developer_class = excluded.developer_class,
      deployment_specialist = excluded.deployment_specialist, deployment_specialist_user_id = excluded.deployment_specialist_user_id,
      relationship_manager = excluded.relationship_manager, relationship_manager_user_id = excluded.relationship_manager_user_id,
      stage_application_created = excluded.stage_application_created, residential = excluded.residential, commercial = excluded.commercial,
      essential = excluded.essential, premises_count = excluded.premises_count, address = excluded.address, efscd = excluded.efscd,
      development_type = excluded.development_type, build_type = excluded.build_type, fod_id = excluded.fod_id, latitude = excluded.latitude,
      longitude = excluded.longitude, staging_id = excluded.staging_id, updated_at = now()
    returning id into v_project;

    if v_org is not null then
      insert into project_membership (project_id, member_partner_org_id, origin) values (v_project, v_org, 'import') on conflict do nothing;
    else
      insert into import_anomalies (tenant_id, staging_id, batch_id, row_index, anomaly_type, field, input_value, project_key, payload_excerpt)
      values (p_tenant, v_staging, 'bench', v_index, 'UNKNOWN_DELIVERY_PARTNER', 'delivery_partner', v_row ->> 'delivery_partner',
              v_row ->> 'stage_application', left(v_row::text, 500));
    end if;
    if v_specialist is not null then
      insert into project_membership (project_id, member_user_id, origin) values (v_project, v_specialist, 'import') on conflict do nothing;
    else
      insert into import_anomalies (tenant_id, staging_id, batch_id, row_index, anomaly_type, field, input_value, project_key, payload_excerpt)
      values (p_tenant, v_staging, 'bench', v_index, 'UNKNOWN_DS', 'deployment_specialist', v_row ->> 'deployment_specialist',
              v_row ->> 'stage_application', left(v_row::text, 500));
    end if;
    if v_manager is not null then
      insert into project_membership (project_id, member_user_id, origin) values (v_project, v_manager, 'import') on conflict do nothing;
    else
      insert into import_anomalies (tenant_id, staging_id, batch_id, row_index, anomaly_type, field, input_value, project_key, payload_excerpt)
      values (p_tenant, v_staging, 'bench', v_index, 'UNKNOWN_RM', 'relationship_manager', v_row ->> 'relationship_manager',
              v_row ->> 'stage_application', left(v_row::text, 500));
    end if;
  end loop;
  return v_index;
end
$$;
