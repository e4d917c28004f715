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
comment on table public.user_roles is 'Roles of signed-in people; tenant_id null means every tenant.';

-- Supabase's auth.uid(), also where there is no auth schema: both settings that a gateway may put the token's subject in.
create or replace function public.fn_current_user_id() returns uuid
language sql stable security invoker parallel safe set search_path = ''
as $$
  select case when c.sub ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then c.sub::uuid end
  from (select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub') as sub) c
$$;

-- The tenants in which the caller has one of these roles; '*' stands for all.
create or replace function public.fn_tenants_for(p_roles text[]) returns text[]
language sql stable security invoker set search_path = ''
as $$
  select coalesce(array_agg(distinct coalesce(r.tenant_id, '*')), '{}')
  from public.user_roles r where r.user_id = (select public.fn_current_user_id()) and r.role = any (p_roles)
$$;
