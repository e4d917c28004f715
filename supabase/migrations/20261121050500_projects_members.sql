-- Who is a member of a project, by its partner, specialist and manager.

-- New temporary tables have no statistics: what must go row by row through an index is a lateral look-up, so that no plan can scan
-- a table once for each row. The projects that intake_members lists get the members of their fields and lose those of former ones.
create or replace function ingest.sync_memberships(out orgs integer, out users integer)
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
  delete from public.project_membership m where m.ctid = any (array(
    select f.tid from pg_temp.intake_members t
    cross join lateral (
      select x.ctid as tid, x.member_partner_org_id as org_id, x.member_user_id as user_id
      from public.project_membership x where x.project_id = t.project_id and x.origin = 'import' offset 0) f
    where not t.is_new and (f.org_id is not null and f.org_id is distinct from t.partner_org_id
                            or f.user_id is not null and f.user_id is distinct from t.ds_user_id and f.user_id is distinct from t.rm_user_id)));
  with made as (
    insert into public.project_membership (project_id, member_partner_org_id, member_user_id, origin)
    select t.project_id, t.partner_org_id, null, 'import' from pg_temp.intake_members t where t.partner_org_id is not null
    union all
    select t.project_id, null, t.ds_user_id, 'import' from pg_temp.intake_members t where t.ds_user_id is not null
    union all
    select t.project_id, null, t.rm_user_id, 'import' from pg_temp.intake_members t
    where t.rm_user_id is not null and t.rm_user_id is distinct from t.ds_user_id
    on conflict do nothing
    returning member_user_id)
  select count(*) filter (where m.member_user_id is null), count(m.member_user_id) into orgs, users from made m;
end
$$;

-- Resolves the fields of all projects anew and brings the memberships in line with them, a tenant at a time. Returns how many
-- memberships it made.
create or replace function public.fn_projects_membership_backfill() returns integer
language plpgsql security definer set search_path = '' set statement_timeout = '30min' set jit = off set work_mem = '64MB'
as $$
declare
  v_tenant text;
  v_made integer := 0;
begin
  for v_tenant in select distinct p.tenant_id from public.projects p order by 1 loop
    perform ingest.lock_tenant(v_tenant);
    drop table if exists pg_temp.intake_members;
    create temp table intake_members on commit drop as
    select p.id as project_id, false as is_new, o.partner_org_id, d.user_id as ds_user_id, m.user_id as rm_user_id
    from public.projects p
    left join ingest.resolve_partners(v_tenant, array(
      select distinct x.delivery_partner_label from public.projects x where x.tenant_id = v_tenant and x.delivery_partner_label is not null)) o
      on o.label = p.delivery_partner_label
    left join ingest.resolve_specialists(v_tenant, array(
      select distinct x.deployment_specialist from public.projects x where x.tenant_id = v_tenant and x.deployment_specialist is not null)) d
      on d.username = p.deployment_specialist
    left join (
      select coalesce(r.name, '') as name, coalesce(r.username, '') as username, r.user_id
      from (select array_agg(y.relationship_manager) as names, array_agg(y.rm_preferred_username) as usernames
            from (select distinct x.relationship_manager, x.rm_preferred_username from public.projects x
                  where x.tenant_id = v_tenant and num_nonnulls(x.relationship_manager, x.rm_preferred_username) > 0) y) pairs
      cross join lateral ingest.resolve_managers(v_tenant, pairs.names, pairs.usernames) r) m
      on m.name = coalesce(p.relationship_manager, '') and m.username = coalesce(p.rm_preferred_username, '')
    where p.tenant_id = v_tenant;
    update public.projects p set
      partner_org_id = t.partner_org_id, deployment_specialist_user_id = t.ds_user_id, relationship_manager_user_id = t.rm_user_id, updated_at = now()
    from pg_temp.intake_members t
    where p.id = t.project_id and (p.partner_org_id, p.deployment_specialist_user_id, p.relationship_manager_user_id)
      is distinct from (t.partner_org_id, t.ds_user_id, t.rm_user_id);
    select v_made + s.orgs + s.users into v_made from ingest.sync_memberships() s;
    drop table pg_temp.intake_members;
  end loop;
  return v_made;
end
$$;
