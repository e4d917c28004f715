-- Generated from supabase/schemas/people.sql by `npm run migrations`: edit that file, not this one.
-- Who a signed-in person is to Intake: operator, admin or viewer, of one tenant or of all. Policies and guarded functions ask here.
create table if not exists public.user_roles (
  id bigint generated always as identity primary key,
  user_id uuid not null,
  role text not null check (role in ('operator', 'admin', 'viewer')),
  -- Null: every tenant.
  tenant_id text check (tenant_id <> '*'),
  created_at timestamptz not null default now(),
  constraint user_roles_uniq unique nulls not distinct (user_id, role, tenant_id)
);

-- Supabase's auth.uid(), also where there is no auth schema: both settings that a gateway may put the token's subject in.
create or replace function public.fn_current_user_id() returns uuid
language sql stable security invoker parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case when c.sub ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then c.sub::uuid end
  from (select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub') as sub) c
$$;

-- The tenants in which the caller has one of these roles; '*' stands for all.
create or replace function public.fn_tenants_for(p_roles text[]) returns text[]
language sql stable security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(distinct coalesce(r.tenant_id, '*')), '{}')
  from public.user_roles r where r.user_id = (select public.fn_current_user_id()) and r.role = any (p_roles)
$$;

-- The tenants whose anomalies the caller may see, '*' for all; 42501 for anybody who is neither operator nor admin.
create or replace function public.fn_require_operator() returns text[]
language plpgsql stable security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenants text[] := case when current_user in ('service_role', 'dragonfly_app') then array['*'] else public.fn_tenants_for('{operator,admin}') end;
begin
  if v_tenants = '{}' then
    raise exception 'insufficient_privilege: operators and admins only' using errcode = 'insufficient_privilege';
  end if;
  return v_tenants;
end
$$;

select ingest.open_to_app('public.user_roles');
grant select on public.user_roles to authenticated;
drop policy if exists user_roles_own on public.user_roles;
create policy user_roles_own on public.user_roles for select to authenticated using (user_id = (select public.fn_current_user_id()));

-- Giving people their roles by e-mail address, for the CLI. Who they are is Supabase Auth's; without it there is nobody.
create or replace function ingest.person_named(email text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  if to_regclass('auth.users') is not null then
    execute 'select u.id from auth.users u where lower(u.email) = lower($1)' into v_id using trim($1);
  end if;
  return v_id;
end
$$;

-- The person's id, whether the role is new to them; null when there is no such person. `tenant_id` null: every tenant.
create or replace function ingest.grant_role(email text, role text, tenant_id text default null) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := ingest.person_named($1);
begin
  if v_id is null then
    return null;
  end if;
  insert into public.user_roles (user_id, role, tenant_id) values (v_id, $2, $3) on conflict do nothing;
  return jsonb_build_object('user_id', v_id, 'granted', found);
end
$$;

-- Who has this address: the person's id, when and whether confirmed the account is, and how many roles it has; null when there is no such person.
create or replace function ingest.find_person(email text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_person jsonb;
begin
  if to_regclass('auth.users') is not null then
    execute $query$
      select jsonb_build_object('user_id', u.id, 'created_at', u.created_at, 'confirmed', u.email_confirmed_at is not null,
                                'roles', (select count(*) from public.user_roles r where r.user_id = u.id))
      from auth.users u where u.id = $1 $query$ into v_person using ingest.person_named($1);
  end if;
  return v_person;
end
$$;

-- Takes a role in a tenant; with null every role, in every tenant. Returns how many went; null when there is no such person.
create or replace function ingest.revoke_roles(email text, role text default null, tenant_id text default null) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := ingest.person_named($1);
  v_count integer;
begin
  if v_id is null then
    return null;
  end if;
  delete from public.user_roles r where r.user_id = v_id and ($2 is null or r.role = $2)
    and ($3 is null or r.tenant_id = $3);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

create or replace function ingest.list_people() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_people jsonb;
begin
  if to_regclass('auth.users') is null then
    return '[]';
  end if;
  execute $query$
    select jsonb_agg(jsonb_build_object('email', u.email, 'role', r.role, 'tenant_id', r.tenant_id, 'user_id', r.user_id, 'created_at', r.created_at)
                     order by u.email, r.role, r.tenant_id)
    from public.user_roles r left join auth.users u on u.id = r.user_id $query$ into v_people;
  return coalesce(v_people, '[]');
end
$$;
