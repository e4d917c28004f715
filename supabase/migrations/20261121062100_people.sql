-- Giving people their roles by e-mail address, for the CLI. Who they are is Supabase Auth's; without it there is nobody.
create or replace function ingest.person_named(email text) returns uuid
language plpgsql stable security definer set search_path = ''
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
language plpgsql volatile security definer set search_path = ''
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

-- Takes a role, or with null all of them. Returns how many went; null when there is no such person.
create or replace function ingest.revoke_roles(email text, role text default null) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id uuid := ingest.person_named($1);
  v_count integer;
begin
  if v_id is null then
    return null;
  end if;
  delete from public.user_roles r where r.user_id = v_id and ($2 is null or r.role = $2);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

create or replace function ingest.list_people() returns jsonb
language plpgsql stable security definer set search_path = ''
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

revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;
