-- Withdrawing a run of projects; who may call what.

-- Afterwards production is as if the run had never been. Projects that it added go, with their members; those that it updated have their
-- former values again. One that a later run or batch has written stays; a later run then holds as former what this one had. What somebody
-- edited since keeps its values and is listed, and so is a new project to which somebody added a member.
create or replace function ingest.rollback_projects(run ingest.import_runs) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '64MB' set jit = off
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_rows integer;
  v_removed integer;
  v_restored integer;
  v_inherited integer;
  v_members integer;
  v_anomalies integer;
  v_kept jsonb;
begin
  perform ingest.lock_tenant(($1).source_system);
  perform from public.projects p
  where p.id in (select r.project_id from ingest.projects_raw r where r.import_run_id = v_run and r.status in ('inserted', 'updated'))
  order by p.id for update;
  drop table if exists pg_temp.intake_undo;
  create temp table intake_undo on commit drop as
  select r.id as raw_id, r.project_id, r.former, p.staging_id is not distinct from v_run as is_last,
         not ingest.is_as_landed(p, r) or r.former is null and exists (
           select from public.project_membership m where m.project_id = p.id and m.origin = 'manual') as is_edited
  from ingest.projects_raw r join public.projects p on p.id = r.project_id
  where r.import_run_id = v_run and r.status in ('inserted', 'updated');
  create unique index on pg_temp.intake_undo (project_id);
  analyze pg_temp.intake_undo;

  -- Edits that the later run replaced stay what it puts back.
  with heirs as (
    update ingest.projects_raw h set
      status = case when n.former is null then 'inserted' else 'updated' end, former = n.former, updated_at = now()
    from (
      select x.id, x.import_run_id,
             case when ingest.is_as_landed(f, r) then u.former
                  else x.former || jsonb_build_object('staging_id', u.former -> 'staging_id') end as former
      from pg_temp.intake_undo u
      join ingest.projects_raw r on r.id = u.raw_id
      join ingest.projects_raw x on x.project_id = u.project_id and x.status = 'updated' and x.former ->> 'staging_id' = v_run::text
      cross join lateral jsonb_populate_record(null::public.projects, x.former) f
      where not u.is_last) n
    where h.id = n.id
    returning h.import_run_id, h.status
  ), changed as (
    select h.import_run_id as run_id, count(*)::int as rows from heirs h where h.status = 'inserted' group by h.import_run_id
  ), counted as (
    update ingest.import_runs i set
      rows_inserted = i.rows_inserted + c.rows, rows_updated = greatest(i.rows_updated - c.rows, 0), updated_at = now()
    from changed c where i.id = c.run_id
  ), ledger as (
    -- An heir that is still at work sums its counters from its ledger.
    insert into ingest.import_run_steps (run_id, step, part, result)
    select c.run_id, 'inherit', (select count(*) from ingest.import_run_steps s where s.run_id = c.run_id and s.step = 'inherit'),
           jsonb_build_object('inserted', c.rows, 'updated', -c.rows)
    from changed c
  )
  select coalesce(sum(c.rows), 0) into v_inherited from changed c;

  update public.projects p set
    delivery_partner_label = f.delivery_partner_label, partner_org_id = (select o.id from public.partner_org o where o.id = f.partner_org_id),
    developer_class = f.developer_class, deployment_specialist = f.deployment_specialist,
    deployment_specialist_user_id = f.deployment_specialist_user_id, relationship_manager = f.relationship_manager,
    rm_preferred_username = f.rm_preferred_username, relationship_manager_user_id = f.relationship_manager_user_id,
    stage_application_created = f.stage_application_created, residential = f.residential, commercial = f.commercial,
    essential = f.essential, premises_count = f.premises_count, address = f.address, efscd = f.efscd, development_type = f.development_type,
    build_type = f.build_type, fod_id = f.fod_id, latitude = f.latitude, longitude = f.longitude, staging_id = f.staging_id,
    updated_at = f.updated_at
  from pg_temp.intake_undo u cross join lateral jsonb_populate_record(null::public.projects, u.former) f
  where p.id = u.project_id and u.is_last and u.former is not null and not u.is_edited;
  get diagnostics v_restored = row_count;
  -- Kept, but no more this run's.
  update public.projects p set staging_id = (u.former ->> 'staging_id')::uuid
  from pg_temp.intake_undo u where p.id = u.project_id and u.is_last and u.former is not null and u.is_edited;
  drop table if exists pg_temp.intake_members;
  create temp table intake_members on commit drop as
  select p.id as project_id, false as is_new, p.partner_org_id, p.deployment_specialist_user_id as ds_user_id,
         p.relationship_manager_user_id as rm_user_id
  from pg_temp.intake_undo u join public.projects p on p.id = u.project_id
  where u.is_last and u.former is not null and not u.is_edited;
  perform ingest.sync_memberships();

  delete from public.project_membership m using pg_temp.intake_undo u
  where m.project_id = u.project_id and u.is_last and u.former is null and not u.is_edited;
  get diagnostics v_members = row_count;
  delete from public.projects p using pg_temp.intake_undo u
  where p.id = u.project_id and u.is_last and u.former is null and not u.is_edited;
  get diagnostics v_removed = row_count;
  delete from public.import_anomalies a where a.tenant_id = ($1).source_system and a.correlation_id = v_run and a.staging_id is null;
  get diagnostics v_anomalies = row_count;
  select jsonb_build_object('count', count(*), 'project_ids', coalesce(jsonb_agg(k.id) filter (where k.n <= 1000), '[]'))
    into v_kept
  from (select u.project_id as id, row_number() over (order by u.project_id) as n
        from pg_temp.intake_undo u where u.is_last and u.is_edited) k;

  update ingest.projects_raw r set
    status = 'rolled_back', reason = 'ROLLED_BACK', updated_at = now(),
    error_message = case when r.status = 'failed' then coalesce(r.reason || ': ' || r.error_message, r.reason) else r.error_message end
  where r.import_run_id = v_run;
  get diagnostics v_rows = row_count;
  drop table pg_temp.intake_undo, pg_temp.intake_members;
  return jsonb_build_object('rows_affected', v_rows, 'removed', v_removed, 'restored', v_restored, 'inherited', v_inherited,
                            'kept_edited', v_kept, 'effects', jsonb_build_object('members', v_members, 'anomalies', v_anomalies));
end
$$;

-- The grant was there without it.
drop policy if exists directory_changes_app on ingest.directory_changes;
create policy directory_changes_app on ingest.directory_changes for select to dragonfly_app using (true);

revoke all on sequence ingest.projects_raw_id_seq from anon, authenticated;
grant usage on sequence ingest.projects_raw_id_seq to service_role, dragonfly_app;
grant select on all tables in schema ingest to service_role, dragonfly_app;
revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;
