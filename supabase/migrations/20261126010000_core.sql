-- Generated from supabase/schemas/core.sql by `npm run migrations`: edit that file, not this one.
-- The steps every kind shares: schemas and roles, keys, runs, and what becomes of a run.

-- Schemas and roles. On Supabase the API roles exist; elsewhere they are made here, without login.
create schema if not exists ingest;
-- Unlogged working tables live apart: not exposed by PostgREST, no row level security (COPY refuses it), never backed up.
create schema if not exists ingest_stage;

do $$
declare
  role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role', 'dragonfly_app', 'dragonfly_gateway'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin %s', role_name, case role_name
          when 'service_role' then 'noinherit bypassrls' when 'dragonfly_gateway' then 'inherit' else 'noinherit' end);
      exception
        when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same time
        when insufficient_privilege then execute format('create role %I nologin noinherit', role_name);
      end;
      -- An owner who is no superuser may not act as the role that it made, as `intake doctor` does.
      if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        execute format('grant %I to current_user', role_name);
      end if;
    end if;
  end loop;
  -- The gateway's own role may what the program may, and let tenants and people in besides.
  if not pg_has_role('dragonfly_gateway', 'dragonfly_app', 'usage') then
    grant dragonfly_app to dragonfly_gateway;
  end if;
end
$$;

comment on schema ingest is 'Import runs, landing tables and the functions that move rows (runbooks 001 and 002).';
comment on schema ingest_stage is 'Rows between parsing and landing; emptied by every run, lost in a crash and parsed again.';

revoke all on schema ingest, ingest_stage from public;
grant usage on schema ingest to service_role, dragonfly_app;
grant usage on schema ingest_stage to service_role, dragonfly_app;

-- Every function has `search_path = pg_catalog, pg_temp` and names schemas in full. An empty path would look into pg_temp first: a
-- caller could put a domain there under the name of a type, whose check runs with the rights of the function's owner.

-- Opens a table to the program alone: row level security on, nothing for the API's roles (a project grants them everything in public,
-- sequences included), everything for the program's.
create or replace function ingest.open_to_app(target regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_policy text := (select c.relname from pg_catalog.pg_class c where c.oid = $1) || '_app';
  v_sequence text;
begin
  execute format('alter table %s enable row level security', $1);
  execute format('revoke all on %s from public, anon, authenticated', $1);
  execute format('grant select, insert, update, delete on %s to service_role, dragonfly_app', $1);
  execute format('drop policy if exists %I on %s', v_policy, $1);
  execute format('create policy %I on %s for all to dragonfly_app using (true) with check (true)', v_policy, $1);
  for v_sequence in select d.objid::regclass::text from pg_catalog.pg_depend d join pg_catalog.pg_class c on c.oid = d.objid and c.relkind = 'S'
                    where d.refobjid = $1 and d.deptype = 'i' loop
    execute format('revoke all on sequence %s from public, anon, authenticated', v_sequence);
    execute format('grant usage on sequence %s to service_role, dragonfly_app', v_sequence);
  end loop;
end
$$;

-- The private bucket of runbook 000, where there is Supabase Storage.
do $$
begin
  if to_regclass('storage.buckets') is not null then
    insert into storage.buckets (id, name, public) values ('imports', 'imports', false) on conflict (id) do nothing;
    if exists (select from storage.buckets b where b.id = 'imports' and b.public) then
      raise exception 'the Storage bucket imports is public: everybody could read what is imported'
        using hint = 'Make it private (update storage.buckets set public = false where id = ''imports''), or rename it if it is not Intake''s; then migrate again.';
    end if;
  end if;
end
$$;

-- Normalization of key parts. White space and letter pairs are explicit, so that no provider, locale or Unicode version
-- changes a stored key; src/values/key.ts and src/values/case.ts hold the same lists.
create or replace function ingest.lower_text(value text) returns text
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  ascii_lower text collate "C" := lower(value collate "C");
begin
  if octet_length(value) = char_length(value) then
    return ascii_lower;
  end if;
  if ascii_lower !~ '[^\u0001-\u017f]' then  -- the whole table costs 0.1 ms a value, these letters a tenth of it
    return translate(ascii_lower,
      'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ',
      'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįiĳĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżž');
  end if;
  return translate(ascii_lower,
    'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽƁƂƄƆƇƉƊƋƎƏƐƑƓƔƖƗƘƜƝƟƠƢƤƦƧƩƬƮƯƱƲƳƵƷƸƼǄǅǇǈǊǋǍǏǑǓǕǗǙǛǞǠǢǤǦǨǪǬǮǱǲǴǶǷǸǺǼǾȀȂȄȆȈȊȌȎȐȒȔȖȘȚȜȞȠȢȤȦȨȪȬȮȰȲȺȻȽȾɁɃɄɅɆɈɊɌɎͰͲͶͿΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫςϏϘϚϜϞϠϢϤϦϨϪϬϮϴϷϹϺϽϾϿЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖႠႡႢႣႤႥႦႧႨႩႪႫႬႭႮႯႰႱႲႳႴႵႶႷႸႹႺႻႼႽႾႿჀჁჂჃჄჅჇჍḀḂḄḆḈḊḌḎḐḒḔḖḘḚḜḞḠḢḤḦḨḪḬḮḰḲḴḶḸḺḼḾṀṂṄṆṈṊṌṎṐṒṔṖṘṚṜṞṠṢṤṦṨṪṬṮṰṲṴṶṸṺṼṾẀẂẄẆẈẊẌẎẐẒẔẞẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸỺỼỾἈἉἊἋἌἍἎἏἘἙἚἛἜἝἨἩἪἫἬἭἮἯἸἹἺἻἼἽἾἿὈὉὊὋὌὍὙὛὝὟὨὩὪὫὬὭὮὯᾈᾉᾊᾋᾌᾍᾎᾏᾘᾙᾚᾛᾜᾝᾞᾟᾨᾩᾪᾫᾬᾭᾮᾯᾸᾹᾺΆᾼῈΈῊΉῌῘῙῚΊῨῩῪΎῬῸΌῺΏῼΩKÅＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ',
    'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįiĳĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷÿźżžɓƃƅɔƈɖɗƌǝəɛƒɠɣɩɨƙɯɲɵơƣƥʀƨʃƭʈưʊʋƴƶʒƹƽǆǆǉǉǌǌǎǐǒǔǖǘǚǜǟǡǣǥǧǩǫǭǯǳǳǵƕƿǹǻǽǿȁȃȅȇȉȋȍȏȑȓȕȗșțȝȟƞȣȥȧȩȫȭȯȱȳⱥȼƚⱦɂƀʉʌɇɉɋɍɏͱͳͷϳάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋσϗϙϛϝϟϡϣϥϧϩϫϭϯθϸϲϻͻͼͽѐёђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆⴀⴁⴂⴃⴄⴅⴆⴇⴈⴉⴊⴋⴌⴍⴎⴏⴐⴑⴒⴓⴔⴕⴖⴗⴘⴙⴚⴛⴜⴝⴞⴟⴠⴡⴢⴣⴤⴥⴧⴭḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕßạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹỻỽỿἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὑὓὕὗὠὡὢὣὤὥὦὧᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱὰάᾳὲέὴήῃῐῑὶίῠῡὺύῥὸόὼώῳωkåａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ');
end
$$;

create or replace function ingest.trim_text(value text) returns text
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  if value collate "C" ~ '^([!-~]([ -~]*[!-~])?)?$' then
    return value;
  end if;
  return regexp_replace(value collate "C", '^[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+|[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+$', '', 'g');
end
$$;

create or replace function ingest.normalize_text(value text) returns text
language plpgsql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  if value collate "C" ~ '^([!-~]+( [!-~]+)*)?$' then
    return lower(value collate "C");
  end if;
  return ingest.lower_text(regexp_replace(ingest.trim_text(value) collate "C", '[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+', ' ', 'g'));
end
$$;

-- One row per import run, the ledger of its steps, and claiming (runbook 002).
create table if not exists ingest.import_runs (
  id uuid primary key default gen_random_uuid(),
  source_system text not null check (source_system <> ''),
  source_batch_id text not null check (source_batch_id <> ''),
  file_hash text not null,
  filename text not null,
  import_kind text not null default 'plaintiff',
  status text not null default 'pending'
    check (status in ('pending', 'processing', 'completed', 'failed', 'rolled_back', 'duplicate')),
  rows_fetched integer not null default 0,
  rows_inserted integer not null default 0,
  rows_updated integer not null default 0,
  rows_skipped integer not null default 0,
  rows_errored integer not null default 0,
  error_details jsonb,
  metadata jsonb not null default '{}',
  storage_path text,
  worker_id text,
  -- The lease: a claim by another execution raises the generation, and effects of the former one are refused.
  lease_generation integer not null default 0,
  claim_token text,
  claimed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed_at timestamptz,
  rolled_back_at timestamptz,
  rollback_reason text,
  parent_run_id uuid references ingest.import_runs (id) on delete set null,
  -- Texts of the header of its file, which may be anybody's data; it goes with the landed rows.
  header jsonb
);

-- Batch-level idempotency among live runs: rolled-back runs and rejected attempts keep their rows beside it.
create unique index if not exists import_runs_live_batch_uniq
  on ingest.import_runs (source_system, source_batch_id, file_hash)
  where status not in ('rolled_back', 'duplicate');
-- Whose stage it is.
create index if not exists import_runs_claim_token_idx on ingest.import_runs (claim_token) where claim_token is not null;
create unique index if not exists import_runs_duplicate_token_uniq on ingest.import_runs (claim_token) where status = 'duplicate';
create index if not exists import_runs_created_at_idx on ingest.import_runs (created_at desc);
create index if not exists import_runs_parent_idx on ingest.import_runs (parent_run_id);

-- The ledger: which step of which part of a run has taken effect, written in the transaction of that effect.
create table if not exists ingest.import_run_steps (
  run_id uuid not null references ingest.import_runs (id) on delete cascade,
  step text not null,
  part integer not null,
  result jsonb not null default '{}',
  finished_at timestamptz not null default clock_timestamp(),
  primary key (run_id, step, part)
);

-- Kinds and their models: `suffix` is the model's name (ingest.kind_models), which ends the names of its functions.
create table if not exists ingest.import_kinds (
  kind text primary key,
  suffix text not null,
  -- Whether a run resolves its rows before upsert: see ingest.resolve_stage.
  resolves boolean not null default false
);

select ingest.open_to_app('ingest.import_runs'), ingest.open_to_app('ingest.import_run_steps');
alter table ingest.import_kinds enable row level security;
grant select on ingest.import_kinds to service_role, dragonfly_app;
drop policy if exists import_kinds_app on ingest.import_kinds;
create policy import_kinds_app on ingest.import_kinds for select to dragonfly_app using (true);

-- One row for each model: a set of tables with the functions of its name. Several kinds may share a model.
-- Only the owner writes here: `landing` and `edited` are SQL text that runs with the owner's rights.
create table if not exists ingest.kind_models (
  model text primary key check (model ~ '^[a-z][a-z0-9_]{0,40}$'),
  stage_table regclass not null,
  landed_table regclass not null,
  production_table regclass not null,
  production_id text not null,
  kept text[] not null,
  renamed jsonb not null default '{}',
  landing jsonb not null default '{}',
  written text[] not null,
  present text[] not null,
  counts_production boolean not null default true,
  compared jsonb not null default '{}',
  edited text not null default 'p.updated_at <> p.created_at',
  own text[] not null default '{}',
  effects text[] not null default '{}',
  held regtype not null default 'jsonb',
  retired jsonb not null default '{}',
  together text,
  known text,
  differing jsonb not null default '{}',
  faulty text not null default 'false',
  strays jsonb not null default '{}'
);
alter table ingest.kind_models enable row level security;
grant select on ingest.kind_models to service_role, dragonfly_app;
drop policy if exists kind_models_app on ingest.kind_models;
create policy kind_models_app on ingest.kind_models for select to dragonfly_app using (true);

-- What skipped rows say otherwise than the production rows that they are about: a row for each field. An empty cell says nothing. What
-- --on-conflict update wrote (`applied`) has the former value, which a rollback puts back.
create table if not exists ingest.differences (
  id bigint generated by default as identity primary key,
  import_run_id uuid not null references ingest.import_runs (id) on delete cascade,
  row_index integer not null,
  line_number integer,
  model text not null,
  production_id bigint not null,
  field text not null,
  file_value text not null,
  database_value text,
  status text not null check (status in ('skipped', 'in_file', 'edited', 'applied', 'withdrawn')),
  created_at timestamptz not null default now()
);
create index if not exists differences_run_idx on ingest.differences (import_run_id, row_index);
create index if not exists differences_applied_idx on ingest.differences (production_id, model, field) where status = 'applied';
select ingest.open_to_app('ingest.differences');

do $$
begin
  create type ingest.import_claim as (run_id uuid, claim_status text);
exception when duplicate_object then null;
end
$$;

-- Claims a batch. The answer carries what a workflow needs beyond the contract's claim: the lease, the layout in force
-- and, for a duplicate, the original. `claim_token` names the claiming execution: its retries keep the lease.
create or replace function ingest.open_import_run(
  source_system text, source_batch_id text, file_hash text, filename text, import_kind text default 'plaintiff',
  worker_id text default null, claim_token text default null, parent_run_id uuid default null,
  storage_path text default null, metadata jsonb default '{}'
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_worker text := $6;
  v_token text := $7;
  v_metadata jsonb := coalesce($10, '{}');
  r ingest.import_runs;
  v_reason text;
  v_promoted boolean;
begin
  loop
    select * into r from ingest.import_runs
    where source_system = $1 and source_batch_id = $2 and file_hash = $3 and status not in ('rolled_back', 'duplicate')
    for update; -- waits for the running effects of the holder (they hold FOR KEY SHARE)
    exit when found;
    insert into ingest.import_runs as n (
      source_system, source_batch_id, file_hash, filename, import_kind, status, worker_id, claim_token, lease_generation,
      claimed_at, storage_path, metadata, parent_run_id)
    values ($1, $2, $3, $4, coalesce($5, 'plaintiff'), 'processing', v_worker, v_token, 1, now(), $9, v_metadata,
      coalesce((select id from ingest.import_runs where id = $8), -- null when that run was deleted meanwhile
                   (select id from ingest.import_runs
                    where source_system = $1 and source_batch_id = $2 and file_hash = $3 and status = 'rolled_back'
                    order by rolled_back_at desc limit 1)))
    on conflict (source_system, source_batch_id, file_hash) where status not in ('rolled_back', 'duplicate') do nothing
    returning * into r;
    if found then
      return jsonb_build_object('run_id', r.id, 'claim_status', 'claimed', 'lease', r.lease_generation,
                                'metadata', r.metadata, 'resumed', false, 'started_at', r.created_at,
                                'parent_gone', $8 is not null and r.parent_run_id is distinct from $8);
    end if;
  end loop;

  -- A batch belongs to a kind, which may be written in the singular.
  if rtrim(r.import_kind, 's') <> rtrim(coalesce($5, 'plaintiff'), 's') then
    raise exception 'this batch belongs to run % of kind %, and is not imported as %', r.id, r.import_kind, $5
      using errcode = 'IN007', hint = 'If the file is to be imported as both, name another batch: --batch-id NAME';
  end if;
  perform ingest.refuse_half_withdrawn(r);
  if r.status = 'completed' then
    -- A rejected attempt leaves its trace for the operators' duplicates query; a retry of it leaves none.
    insert into ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, worker_id,
                                    claim_token, claimed_at, completed_at, metadata)
    values ($1, $2, $3, $4, coalesce($5, 'plaintiff'), 'duplicate', v_worker, v_token, now(), now(),
            v_metadata || jsonb_build_object('duplicate_of', r.id))
    on conflict (claim_token) where status = 'duplicate' do nothing;
    return jsonb_build_object('run_id', r.id, 'claim_status', 'duplicate', 'lease', r.lease_generation,
                              'filename', r.filename, 'completed_at', r.completed_at, 'started_at', r.created_at,
                              'storage_path', r.storage_path);
  end if;

  v_promoted := exists (select from ingest.import_run_steps s where s.run_id = r.id and s.step = 'upsert');
  if r.status = 'processing' and r.claim_token = v_token then
    return jsonb_build_object('run_id', r.id, 'claim_status', 'claimed', 'lease', r.lease_generation, 'promoted', v_promoted,
                              'metadata', r.metadata, 'resumed', r.lease_generation > 1, 'started_at', r.created_at);
  end if;

  if r.status = 'processing' and r.worker_id is distinct from v_worker or r.status = 'processing' and v_worker is null then
    if r.updated_at >= now() - interval '30 minutes' then
      return jsonb_build_object('run_id', r.id, 'claim_status', 'in_progress', 'lease', r.lease_generation,
                                'worker_id', r.worker_id, 'started_at', r.created_at);
    end if;
    v_reason := 'no heartbeat for 30 minutes';
  elsif r.status = 'failed' then
    v_reason := 'claimed again after failure';
  end if;

  -- Once rows were promoted, the plan they were promoted under stays in force: the ledger counts in its partitions. What would
  -- read the file otherwise is not let in, and the run stays as it is.
  if v_promoted and r.metadata #>> '{plan,reading}' <> v_metadata #>> '{plan,reading}' then
    return jsonb_build_object('run_id', r.id, 'claim_status', 'options_differ', 'lease', r.lease_generation);
  end if;
  update ingest.import_runs set
    status = 'processing', worker_id = v_worker, claim_token = v_token, lease_generation = lease_generation + 1,
    claimed_at = now(), updated_at = now(), completed_at = null,
    filename = $4, storage_path = coalesce($9, storage_path),
    metadata = (r.metadata - 'retired') || case
      when v_promoted then v_metadata - 'plan' else v_metadata end,
    error_details = case when v_reason is null then null else jsonb_build_object(
      'previous_worker', r.worker_id, 'takeover_reason', v_reason, 'takeover_at', now()) end
  where id = r.id
  returning * into r;
  return jsonb_build_object('run_id', r.id, 'claim_status', 'claimed', 'lease', r.lease_generation, 'promoted', v_promoted,
                            'metadata', r.metadata, 'resumed', true, 'started_at', r.created_at);
end
$$;

-- Runbook 002: claim before processing any row. claim_status: claimed | duplicate | in_progress.
create or replace function ingest.claim_import_run(
  source_system text, source_batch_id text, file_hash text, filename text,
  import_kind text default 'plaintiff', worker_id text default null
) returns ingest.import_claim
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  select (o ->> 'run_id')::uuid, o ->> 'claim_status'
  from ingest.open_import_run($1, $2, $3, $4, $5, $6) as o
$$;

-- Runbook 002: keeps the claim of a long import. False when the run is not processing any more.
create or replace function ingest.heartbeat_import_run(run_id uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update ingest.import_runs set updated_at = now() where id = $1 and status = 'processing';
  return found;
end
$$;

-- Keeps the texts of the header of a run's file: everything else that speaks of them has their places.
create or replace function ingest.note_header(run_id uuid, header jsonb) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  update ingest.import_runs i set header = $2 where i.id = $1 and i.header is distinct from $2
$$;

-- What a step of a settled run came to, for an execution that asks again: it died between the commit and the answer.
create or replace function ingest.settled_step(run_id uuid, lease integer, step text, part integer) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select s.result from ingest.import_runs r join ingest.import_run_steps s on s.run_id = r.id and s.step = $3 and s.part = $4
  where r.id = $1 and r.lease_generation = $2 and r.status = 'completed'
$$;

-- Every effect of a run starts here: refuses it when the lease has passed on or an operator ended the run.
create or replace function ingest.hold_lease(run_id uuid, lease integer) returns ingest.import_runs
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r ingest.import_runs;
begin
  select * into r from ingest.import_runs where id = $1 and lease_generation = $2 and status = 'processing' for key share;
  if not found then
    raise exception 'the run was taken over, ended or rolled back' using errcode = 'IN001';
  end if;
  return r;
end
$$;

create or replace function ingest.kind_suffix(kind text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select suffix from ingest.import_kinds where kind = $1 $$;

-- The completed run of a batch, if any: another commit of it would be a duplicate.
create or replace function ingest.find_completed_run(source_system text, source_batch_id text, file_hash text) returns uuid
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select r.id from ingest.import_runs r
  where r.source_system = $1 and r.source_batch_id = $2 and r.file_hash = $3 and r.status = 'completed'
$$;

-- The steps of a run. What they do for a kind follows from its description (ingest.kind_models).

-- Which chunks are staged. Unlogged beside the stage, so that a database crash empties both and the chunks are parsed again.
create unlogged table if not exists ingest_stage.chunks (
  stage_id uuid not null,
  kind text not null,
  chunk integer not null,
  rows integer not null,
  errored integer not null,
  created_at timestamptz not null default now(),
  content text,
  primary key (stage_id, chunk)
);
grant select, insert, delete on ingest_stage.chunks to service_role, dragonfly_app;

-- A chunk comes whole, or in pieces where the server's time limit cuts it off: {content: hash of all its rows, before: rows before this
-- piece, more: whether another follows}. Notes what comes now; true: its rows are to be written. A piece that was written is not
-- written again, and a first one of other content, which another attempt has read, takes the place of what is there of the chunk.
create or replace function ingest.begin_piece(stage_id uuid, kind text, chunk integer, rows integer, errored integer, piece jsonb default null)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_before integer := coalesce(($6 ->> 'before')::integer, 0);
  v_left text := case when ($6 ->> 'more')::boolean then $6 ->> 'content' end;
  v_known ingest_stage.chunks;
begin
  if v_before = 0 then
    insert into ingest_stage.chunks (stage_id, kind, chunk, rows, errored, content) values ($1, $2, $3, $4, $5, v_left) on conflict do nothing;
    if found then
      return true;
    end if;
  end if;
  select * into v_known from ingest_stage.chunks c where c.stage_id = $1 and c.chunk = $3 for update;
  if v_known.content is null then
    return false; -- whole, or nothing any more
  elsif v_known.content = $6 ->> 'content' then
    if v_known.rows <> v_before then
      return false;
    end if;
  elsif v_before > 0 then
    return false;
  else
    execute format('delete from ingest_stage.%I s where s.stage_id = $1 and s.chunk = $2', ingest.kind_suffix($2)) using $1, $3;
  end if;
  update ingest_stage.chunks c set rows = v_before + $4, errored = $5, content = v_left where c.stage_id = $1 and c.chunk = $3;
  return true;
end
$$;

-- What is staged of a chunk: {rows, errored} of a whole one, {rows, more} while pieces of this content are missing.
create or replace function ingest.staged_chunk(stage_id uuid, chunk integer, piece jsonb default null) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
    select case when c.content is null then jsonb_build_object('rows', c.rows, 'errored', c.errored)
                else jsonb_build_object('rows', case when c.content = $3 ->> 'content' then c.rows else 0 end, 'more', true) end
    from ingest_stage.chunks c where c.stage_id = $1 and c.chunk = $2), '{"rows": 0, "more": true}')
$$;

-- Stages one chunk, or a piece of it, sent as JSON (the supabase backend; the postgres backend uses COPY in a transaction of the same
-- shape). `columns` names the keys of the row arrays. Answers what is staged of the chunk, by this call or an earlier one.
create or replace function ingest.stage_chunk(
  stage_id uuid, kind text, chunk integer, columns text[], rows json, errored integer, piece jsonb default null
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '60s'
as $$
#variable_conflict use_column
declare
  v_table text := ingest.kind_suffix($2);
  v_list text;
  v_values text;
begin
  if ingest.begin_piece($1, $2, $3, json_array_length($5), $6, $7) then
    select string_agg(format('%I', a.attname), ', ' order by c.n),
           -- A text in the place of jsonb is JSON whose numbers whoever stands between would round.
           string_agg(case when a.atttypid = 'jsonb'::regtype
                           then format('case when jsonb_typeof(r -> %1$s) = ''string'' then (r ->> %1$s)::jsonb else r -> %1$s end', c.n - 1)
                           else format('(r ->> %s)::%s', c.n - 1, format_type(a.atttypid, a.atttypmod)) end, ', ' order by c.n)
      into strict v_list, v_values
    from unnest($4) with ordinality as c (name, n)
    join pg_catalog.pg_attribute a on a.attrelid = format('ingest_stage.%I', v_table)::regclass and a.attname = c.name;
    -- As jsonb each row is parsed once; every ->> of a json value parses it again.
    execute format('insert into ingest_stage.%I (stage_id, chunk, %s) select $1, $2, %s from jsonb_array_elements($3::jsonb) as r',
                   v_table, v_list, v_values)
      using $1, $3, $5;
  end if;
  return ingest.staged_chunk($1, $3, $7);
end
$$;

-- Empties a stage and its plan, at most `max_rows` rows of each a call; true when nothing is left. Sweeps what others have left,
-- too: an hour after its run was settled (a stage has the id of the execution, which the run knows as its claim), else a week after
-- its last chunk. Large tables in which no other import has rows are truncated: row by row that costs as much as to find what becomes of them.
create or replace function ingest.clear_stage(stage_id uuid, kind text, max_rows integer default 200000) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '60s'
as $$
#variable_conflict use_column
declare
  v_suffix text := ingest.kind_suffix($2);
  v_tables text[] := case when ingest.kind_resolves($2) then array[v_suffix, v_suffix || '_plan'] else array[v_suffix] end;
  v_table text;
  v_stages uuid[];
  v_deleted integer;
  v_done boolean := true;
begin
  -- The chunks go first: whoever still uses such a stage finds it incomplete and parses again. In their place a mark stays (chunk
  -- -1, of no time) until no row is left.
  with abandoned as (
    select o.stage_id from ingest_stage.chunks o where o.kind = $2 group by o.stage_id
    having max(o.created_at) < now() - interval '7 days'
      or max(o.created_at) < now() - interval '1 hour' and exists (
           select from ingest.import_runs r where r.claim_token = o.stage_id::text and r.status not in ('pending', 'processing')
             and r.updated_at < now() - interval '1 hour')
    union select $1
  ), marked as (
    insert into ingest_stage.chunks (stage_id, kind, chunk, rows, errored, created_at)
    select a.stage_id, $2, -1, 0, 0, '-infinity' from abandoned a on conflict do nothing
  ), gone as (
    delete from ingest_stage.chunks c using abandoned a where c.stage_id = a.stage_id and c.chunk >= 0
  )
  select array_agg(a.stage_id) into v_stages from abandoned a;
  delete from ingest_stage.resolved r where r.stage_id = any (v_stages);
  if pg_relation_size(format('ingest_stage.%I', v_suffix)) > 8000000 then
    begin
      foreach v_table in array v_tables loop
        execute format('lock table ingest_stage.%I in access exclusive mode nowait', v_table);
      end loop;
      -- An import that has noted its chunk and not yet written its rows waits for the lock, and writes them after.
      if exists (select from ingest_stage.chunks c where c.stage_id <> all (v_stages) and ingest.kind_suffix(c.kind) = v_suffix) then
        raise lock_not_available; -- and is given back
      end if;
      foreach v_table in array v_tables loop
        execute format('truncate ingest_stage.%I', v_table);
      end loop;
    exception when lock_not_available then null;
    end;
  end if;
  foreach v_table in array v_tables loop
    execute format('delete from ingest_stage.%1$I where ctid = any (array(
                      select s.ctid from ingest_stage.%1$I s where s.stage_id = any ($1) limit $2))', v_table)
      using v_stages, $3;
    get diagnostics v_deleted = row_count;
    v_done := v_done and v_deleted < $3;
  end loop;
  if v_done then
    delete from ingest_stage.chunks c where c.stage_id = any (v_stages) and c.chunk = -1;
  end if;
  return v_done;
end
$$;

-- Whether all chunks of a stage are there, each whole; a database crash empties it. They then stay until the end of the transaction:
-- clear_stage, which deletes the chunks first, waits for the one that is locked.
create or replace function ingest.lock_whole_stage(stage_id uuid, chunks integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from ingest_stage.chunks c where c.stage_id = $1 and c.chunk = 0 for key share;
  return (select count(*) = $2 from ingest_stage.chunks c where c.stage_id = $1 and c.chunk >= 0 and c.content is null);
end
$$;

-- Rollback must not pass between an upsert's look at live rows and its commit: upserts share this lock, rollback owns it.
create or replace function ingest.lock_source(source_system text, exclusive boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_key bigint := hashtextextended('intake.source:' || $1, 0);
begin
  if $2 then
    perform pg_advisory_xact_lock(v_key);
  else
    perform pg_advisory_xact_lock_shared(v_key);
  end if;
end
$$;

-- Locks are taken in one order by all: source, people, tenant or dataset (advisory locks), then runs, then rows by id. The source
-- of a run never changes, so it is read without a lock.
create or replace function ingest.lock_source_of(run_id uuid, exclusive boolean) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ select ingest.lock_source(r.source_system, $2) from ingest.import_runs r where r.id = $1 $$;

-- A part that is tried again while its first try still runs waits for it, then finds its answer in the ledger.
create or replace function ingest.lock_part(run_id uuid, part integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$ select pg_advisory_xact_lock(hashtextextended('intake.part:' || $1, $2)) $$;

-- Kinds that match people by several keys resolve their rows once per run, before upsert: which rows are duplicates, who is
-- the same person, and which rows therefore belong into one part. The answer stands in ingest_stage.<suffix>_plan.

-- Which stages are resolved. A run that loses its stage, or is resumed, resolves what has not landed yet again: a further
-- generation, whose parts are other parts for the ledger.
create unlogged table if not exists ingest_stage.resolved (
  stage_id uuid primary key,
  generation integer not null,
  epoch bigint not null,
  options jsonb not null,
  answer jsonb not null,
  -- What was committed when the plan began.
  seen pg_snapshot
);
grant select, insert, delete on ingest_stage.resolved to service_role, dragonfly_app;

-- Transactions that made or changed people, whoever did: a plan that has not seen one of another run is looked at again. A row for
-- each transaction instead of a counter: nobody waits for anybody.
create table if not exists ingest.people_changes (
  xid xid8 primary key default pg_current_xact_id(),
  run_id uuid,
  changed_at timestamptz not null default now()
);
alter table ingest.people_changes enable row level security;
grant select on ingest.people_changes to service_role, dragonfly_app;
drop policy if exists people_changes_app on ingest.people_changes;
create policy people_changes_app on ingest.people_changes for select to dragonfly_app using (true);

create or replace function ingest.note_people() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ingest.people_changes (run_id) values (nullif(current_setting('intake.run', true), '')::uuid) on conflict do nothing;
  return null;
end
$$;

-- Whether somebody but the run has changed people since its stage was resolved.
create or replace function ingest.people_changed(run_id uuid, stage_id uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
    select exists (select from ingest.people_changes c where c.run_id is distinct from $1 and not pg_visible_in_snapshot(c.xid, s.seen))
    from ingest_stage.resolved s where s.stage_id = $2 and s.seen is not null), true)
$$;

-- Which run last had the turn of what only one run may write at a time (people, the projects of a tenant, the results of a dataset), and
-- how often it has changed hands.
create table if not exists ingest.turns (
  name text primary key,
  run_id uuid,
  epoch bigint not null default 0
);
select ingest.open_to_app('ingest.turns');

create or replace function ingest.lock_turn(name text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ select pg_advisory_xact_lock(hashtextextended('intake.' || $1, 0)) $$;

-- Parts of one run share no new person and no key, so they go side by side (a shared lock). Whoever owns the lock (lock_turn) goes alone,
-- and so does a run that has not had the turn last, until the end of its transaction. So runs of the same keys wait for each other here,
-- and never for rows, in a circle. Answers the epoch: when it is not the one of a plan, another run may have written since.
create or replace function ingest.take_turn(name text, run_id uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_epoch bigint;
begin
  begin
    perform pg_advisory_xact_lock_shared(hashtextextended('intake.' || $1, 0));
    select t.epoch into v_epoch from ingest.turns t where t.name = $1 and t.run_id = $2;
    if found then
      return v_epoch;
    end if;
    raise exception using errcode = 'IN003'; -- gives the shared lock back
  exception when sqlstate 'IN003' then null;
  end;
  perform ingest.lock_turn($1);
  return ingest.pass_turn($1, $2);
end
$$;

-- Gives the turn to a run, or to nobody in particular. The caller owns the lock.
create or replace function ingest.pass_turn(name text, run_id uuid) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into ingest.turns as t (name, run_id) values ($1, $2) on conflict on constraint turns_pkey
  do update set run_id = $2, epoch = t.epoch + (t.run_id is null or t.run_id is distinct from $2)::int returning t.epoch
$$;

-- Resolves a stage, once however often and at once it is asked. Without a run (dry run) nothing but the plan is written.
-- `options` are for the kind's upsert and count. Answers what the kind says, or {stage_lost: true}.
create or replace function ingest.resolve_stage(
  run_id uuid, lease integer, kind text, stage_id uuid, chunks integer, partitions integer, options jsonb default '{}'
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '30min'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  v_answer jsonb;
  v_generation integer := 0;
  v_epoch bigint := 0;
  v_seen pg_snapshot;
begin
  if $1 is not null then
    perform ingest.lock_source_of($1, false);
    r := ingest.hold_lease($1, $2);
  end if;
  perform ingest.lock_part($4, -1);
  select answer into v_answer from ingest_stage.resolved s where s.stage_id = $4;
  if found then
    return v_answer;
  end if;
  if not ingest.lock_whole_stage($4, $5) then
    return '{"stage_lost": true}';
  end if;
  if $1 is not null then
    select count(*) into v_generation from ingest.import_run_steps s where s.run_id = $1 and s.step = 'resolve';
    v_epoch := ingest.take_turn('people', $1);
    delete from ingest.people_changes c where c.changed_at < now() - interval '8 days'; -- stages are younger
  end if;
  v_seen := pg_current_snapshot();
  -- The options are there for the kind's plan, too.
  insert into ingest_stage.resolved (stage_id, generation, epoch, options, answer, seen) values ($4, v_generation, v_epoch, $7, '{}', v_seen);
  execute format('select ingest.%I($1, $2, $3)', 'resolve_' || ingest.kind_suffix($3)) into v_answer using r, $4, $6;
  update ingest_stage.resolved s set answer = v_answer where s.stage_id = $4;
  if $1 is not null then
    insert into ingest.import_run_steps (run_id, step, part, result) values ($1, 'resolve', v_generation, v_answer);
  end if;
  return v_answer;
end
$$;

create or replace function ingest.kind_resolves(kind text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select resolves from ingest.import_kinds where kind = $1 $$;

-- A run that was claimed by another program and taken over may have rows of that one: they are in no ledger, and would be met
-- again and again. One statement, so that rows and ledger are of one moment.
create or replace function ingest.refuse_foreign_rows(run ingest.import_runs) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_foreign boolean;
begin
  if exists (select from ingest.import_run_steps s where s.run_id = ($1).id and s.step in ('upsert', 'stop')) then
    return;
  end if;
  execute format('select exists (select from %s r where r.import_run_id = $1)
                    and not exists (select from ingest.import_run_steps s where s.run_id = $1 and s.step in (''upsert'', ''stop''))',
                 (ingest.model_of_run(($1).import_kind, ($1).id)).landed_table)
    into v_foreign using ($1).id;
  if v_foreign then
    raise exception 'run % has rows of another program', ($1).id using errcode = 'IN004',
      hint = 'Roll it back (intake rollback ID --reason TEXT), then import the file again.';
  end if;
end
$$;

-- A part that the server's time limit cuts off is done in slices: each call takes the rows of the next `keys` keys after `after`, in
-- the order of keys, and gives them a part number of their own, under which every step of the kind finds them alone. Rows of one
-- key stay together, and of a resolved stage those of one person. Answers the last key taken, or null when it was the rest.
create or replace function ingest.take_slice(kind text, resolved boolean, stage_id uuid, part integer, keys integer, after text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
  v_table regclass := ingest.sliced_table($1, $2);
  -- What keeps rows together: the person of a plan, or the first column of the model itself. A row without one is alone.
  v_key text := format('(coalesce(s.%I::text, ''row '' || s.row_index) collate "C")', case when $2 then 'plaintiff_id' else (
    select a.attname from pg_catalog.pg_attribute a
    where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped
      and a.attname not in ('stage_id', 'chunk', 'part', 'row_index', 'line_number')
    order by a.attnum limit 1) end);
  v_last text;
begin
  execute format($sql$
    with keys as (
      select distinct %1$s as key from %2$s s where s.stage_id = $1 and s.part = $2 and ($4 is null or %1$s > $4) order by 1 limit $3 + 1
    ), taken as (
      select k.key from keys k order by k.key limit $3
    ), moved as (
      update %2$s s set part = ingest.slice_of($2) where s.stage_id = $1 and s.part = $2 and %1$s in (select t.key from taken t)
    )
    select case when count(*) > $3 then (select max(t.key) from taken t) end from keys $sql$, v_key, v_table)
    into v_last using $3, $4, $5, $6;
  return v_last;
end
$$;

-- Ends a slice: its rows are done and go, or are counted and have their part again.
create or replace function ingest.end_slice(kind text, resolved boolean, stage_id uuid, part integer, done boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
  execute format(case when $5 then 'delete from %s s where s.stage_id = $1 and s.part = ingest.slice_of($2)'
                      else 'update %s s set part = $2 where s.stage_id = $1 and s.part = ingest.slice_of($2)' end,
                 ingest.sliced_table($1, $2)) using $3, $4;
end
$$;

create or replace function ingest.slice_of(part integer) returns integer
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select -1 - $1 $$;

-- Where rows have their part: in the stage, or in the plan of a resolved one.
create or replace function ingest.sliced_table(kind text, resolved boolean) returns regclass
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case when $2 then format('ingest_stage.%I', m.model || '_plan')::regclass else m.stage_table end
  from ingest.import_kinds k join ingest.kind_models m on m.model = k.suffix where k.kind = $1
$$;

-- The sum of two answers of a step: numbers are added, at any depth; lists are joined, up to a thousand; the rest is that of the latter.
create or replace function ingest.add_results(former jsonb, latter jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select jsonb_object_agg(k.key, case
      when jsonb_typeof(coalesce($1 -> k.key, $2 -> k.key)) = 'number'
        then to_jsonb(coalesce(($1 ->> k.key)::numeric, 0) + coalesce(($2 ->> k.key)::numeric, 0))
      when jsonb_typeof(coalesce($1 -> k.key, $2 -> k.key)) = 'object'
        then ingest.add_results(coalesce($1 -> k.key, '{}'), coalesce($2 -> k.key, '{}'))
      when jsonb_typeof(coalesce($1 -> k.key, $2 -> k.key)) = 'array'
        then jsonb_path_query_array(coalesce($1 -> k.key, '[]') || coalesce($2 -> k.key, '[]'), '$[0 to 999]')
      else coalesce($2 -> k.key, $1 -> k.key) end)
    from (select jsonb_object_keys($1) union select jsonb_object_keys($2)) k (key));
end
$$;

-- Whether an earlier call has done the whole part. What it has done of a part stays done: `more` marks it in the ledger.
create or replace function ingest.is_whole(result jsonb) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select $1 is not null and not $1 ? 'more' $$;

-- Puts an answer into the ledger, beside what slices before it have done.
create or replace function ingest.record_part(run_id uuid, step text, part integer, result jsonb) returns jsonb
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into ingest.import_run_steps as l (run_id, step, part, result) values ($1, $2, $3, $4)
  on conflict on constraint import_run_steps_pkey do update
    set result = ingest.add_results(l.result - 'more', excluded.result), finished_at = clock_timestamp()
  returning l.result
$$;

-- One partition, exactly once: all staged rows whose key falls into `part`, landed and promoted in this transaction. Parts of a
-- resolved stage are counted by generation, and their staged rows are cleared at the end. With `keys` a slice of it.
-- Answers {inserted, updated, skipped, errored, ...} of all that is done of the part, with {more: true} while some is left, or
-- {stage_lost: true}.
create or replace function ingest.upsert_partition(
  run_id uuid, lease integer, stage_id uuid, chunks integer, part integer, keys integer default null, update_known boolean default false
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '120s'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  m ingest.kind_models;
  v_resolves boolean;
  v_part integer := $5;
  v_rows_of integer := $5;
  v_former jsonb;
  v_more boolean := false;
  v_result jsonb;
begin
  v_result := ingest.settled_step($1, $2, 'upsert', $5);
  if v_result is not null then
    return v_result;
  end if;
  perform ingest.lock_source_of($1, false);
  r := ingest.hold_lease($1, $2);
  m := ingest.model_of(r.import_kind);
  v_resolves := ingest.kind_resolves(r.import_kind);
  if v_resolves then
    select $5 + 100000 * s.generation into v_part from ingest_stage.resolved s where s.stage_id = $3;
    if not found then
      return '{"stage_lost": true}';
    end if;
  end if;
  perform ingest.lock_part($1, v_part);
  select result into v_former from ingest.import_run_steps s where s.run_id = $1 and s.step = 'upsert' and s.part = v_part;
  if ingest.is_whole(v_former) then
    return v_former;
  end if;
  if not ingest.lock_whole_stage($3, $4) then
    return '{"stage_lost": true}';
  end if;
  perform ingest.refuse_foreign_rows(r);
  perform set_config('intake.run', r.id::text, true);
  if v_former is not null and not v_resolves then
    -- Rows of slices that are done are back when the stage was lost since.
    execute format('delete from %s s using %s l where s.stage_id = $2 and s.part = $3 and l.import_run_id = $1 and l.row_index = s.row_index',
                   m.stage_table, m.landed_table) using $1, $3, $5;
  elsif not v_resolves and exists (select from ingest.import_run_steps s where s.run_id = $1 and s.step = 'stop') then
    execute ingest.unland_statement(m) using $1, $3, $5; -- an earlier attempt stopped at --max-errors
  end if;
  if $6 is not null then
    v_more := ingest.take_slice(r.import_kind, v_resolves, $3, $5, $6, null) is not null;
    v_rows_of := ingest.slice_of($5);
  end if;
  v_result := ingest.upsert_part(r, $3, v_rows_of, $7);
  v_result := ingest.record_part($1, 'upsert', v_part, v_result || case when v_more then '{"more": true}'::jsonb else '{}' end);
  if $6 is not null then
    perform ingest.end_slice(r.import_kind, v_resolves, $3, $5, true);
  end if;
  return v_result;
end
$$;

-- What upsert_partition would report at this moment; writes nothing. With `keys` what a slice after key `after` would: its answer
-- names the last key of the slice as `more` while some are left.
create or replace function ingest.count_partition(
  kind text, source_system text, stage_id uuid, chunks integer, part integer, keys integer default null, after text default null,
  update_known boolean default false
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '120s'
as $$
declare
  v_resolves boolean := ingest.kind_resolves($1);
  v_more text;
  v_result jsonb;
begin
  if not ingest.lock_whole_stage($3, $4)
     or v_resolves and not exists (select from ingest_stage.resolved r where r.stage_id = $3) then
    return '{"stage_lost": true}';
  end if;
  if $6 is not null then
    v_more := ingest.take_slice($1, v_resolves, $3, $5, $6, $7);
    v_result := ingest.count_part($1, $2, $3, ingest.slice_of($5), $8);
    perform ingest.end_slice($1, v_resolves, $3, $5, false);
    return v_result || case when v_more is null then '{}' else jsonb_build_object('more', v_more) end;
  end if;
  return ingest.count_part($1, $2, $3, $5, $8);
end
$$;

-- The run stopped at --max-errors: its rows land as they are, bad ones failed, the others pending; nothing is promoted.
create or replace function ingest.stop_partition(
  run_id uuid, lease integer, stage_id uuid, chunks integer, part integer, keys integer default null
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '120s'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs := ingest.hold_lease($1, $2);
  v_rows_of integer := $5;
  v_more boolean := false;
  v_result jsonb;
begin
  perform ingest.lock_part($1, $5);
  select result into v_result from ingest.import_run_steps s where s.run_id = $1 and s.step = 'stop' and s.part = $5;
  if ingest.is_whole(v_result) then
    return v_result;
  end if;
  if not ingest.lock_whole_stage($3, $4) then
    return '{"stage_lost": true}';
  end if;
  if exists (select from ingest.import_run_steps s where s.run_id = $1 and s.step = 'upsert') then
    raise exception 'run % has rows in production: it cannot stop before them any more', $1 using errcode = 'IN004',
      hint = 'Go on with it: intake resume ID.';
  end if;
  if $6 is not null then
    v_more := ingest.take_slice(r.import_kind, false, $3, $5, $6, null) is not null;
    v_rows_of := ingest.slice_of($5);
  end if;
  v_result := ingest.record_part($1, 'stop', $5, ingest.stop_part(r, $3, v_rows_of) || case when v_more then '{"more": true}'::jsonb else '{}' end);
  if $6 is not null then
    perform ingest.end_slice(r.import_kind, false, $3, $5, true);
  end if;
  return v_result;
end
$$;

-- Compares the staged rows of a partition with what the run has in the tables; with `keys` a slice of them, as count_partition.
-- Answers {rows, missing, different, edited, lines: [first line numbers that differ]}; the first part of a run also {extra: {table: rows}}
-- where the tables have something of the run that is not in the file.
create or replace function ingest.compare_partition(
  run_id uuid, stage_id uuid, chunks integer, part integer, keys integer default null, after text default null
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '120s'
as $$
declare
  r ingest.import_runs;
  m ingest.kind_models;
  v_more text;
  v_extra jsonb := '{}';
  v_result jsonb;
begin
  if not ingest.lock_whole_stage($2, $3) then
    return '{"stage_lost": true}';
  end if;
  select * into r from ingest.import_runs i where i.id = $1;
  perform ingest.refuse_retired(r);
  m := ingest.model_of(r.import_kind);
  if $5 is not null then
    v_more := ingest.take_slice(r.import_kind, false, $2, $4, $5, $6);
    v_result := ingest.compare_partition($1, $2, $3, ingest.slice_of($4));
    perform ingest.end_slice(r.import_kind, false, $2, $4, false);
    v_result := v_result || case when v_more is null then '{}' else jsonb_build_object('more', v_more) end;
  elsif 'compare' = any (m.own) then
    execute format('select ingest.%I($1, $2, $3)', 'compare_' || m.model) into v_result using r, $2, $4;
  else
    v_result := ingest.compare_part(r, $2, $4);
  end if;
  if $4 = 0 and $6 is null then
    v_extra := ingest.find_extra_rows(r, $2);
  end if;
  return v_result || case when v_extra <> '{}' then jsonb_build_object('extra', v_extra) else '{}' end;
end
$$;

-- Stores counters (from the ledger) and summary; the run goes on processing until it is reconciled. What a kind counts beyond
-- rows (contacts, jobs ...) is summed into summary.effects, and a kind may add to the summary by a function describe_<model>(run).
create or replace function ingest.record_result(run_id uuid, lease integer, rows_fetched integer, summary jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  m ingest.kind_models;
  v_counts jsonb;
  v_effects jsonb;
  v_more jsonb := '{}';
begin
  select * into r from ingest.import_runs i where i.id = $1 and i.lease_generation = $2 and i.status = 'completed';
  if found then
    return r.metadata #> '{summary,counts}'
      || case when r.metadata #> '{summary,effects}' is null then '{}' else jsonb_build_object('effects', r.metadata #> '{summary,effects}') end;
  end if;
  r := ingest.hold_lease($1, $2);
  m := ingest.model_of(r.import_kind);
  -- Before the sum: a rollback that passes rows on to this run has written to its ledger, or adds to the counters after us.
  perform from ingest.import_runs i where i.id = $1 for no key update;
  select jsonb_build_object(
           'fetched', $3,
           'inserted', coalesce(sum((s.result ->> 'inserted')::int), 0),
           'updated', coalesce(sum((s.result ->> 'updated')::int), 0),
           'skipped', coalesce(sum((s.result ->> 'skipped')::int), 0),
           'errored', coalesce(sum((s.result ->> 'errored')::int), 0))
    into v_counts
  from ingest.import_run_steps s where s.run_id = $1 and s.step in ('upsert', 'inherit');
  select jsonb_object_agg(e.key, e.total) into v_effects
  from (select t.key, sum(t.value::numeric) as total
        from ingest.import_run_steps s cross join lateral jsonb_each_text(s.result -> 'effects') t
        where s.run_id = $1 and s.step = 'upsert' group by t.key) e;
  update ingest.import_runs set
    rows_fetched = $3,
    rows_inserted = (v_counts ->> 'inserted')::int,
    rows_updated = (v_counts ->> 'updated')::int,
    rows_skipped = (v_counts ->> 'skipped')::int,
    rows_errored = (v_counts ->> 'errored')::int,
    metadata = metadata || jsonb_build_object('summary', coalesce($4, '{}') || jsonb_build_object('counts', v_counts)
      || case when v_effects is null then '{}' else jsonb_build_object('effects', v_effects) end),
    updated_at = now()
  where id = $1
  returning * into r;
  if 'describe' = any (m.own) then
    execute format('select ingest.%I($1)', 'describe_' || m.model) into v_more using r;
    update ingest.import_runs set metadata = jsonb_set(metadata, '{summary}', metadata -> 'summary' || v_more) where id = $1;
    v_effects := coalesce(v_more -> 'effects', v_effects);
  end if;
  return v_counts || case when v_effects is null then '{}' else jsonb_build_object('effects', v_effects) end;
end
$$;

-- Ends a run as failed, once, by its own execution; the row keeps what it had counted. `error` holds codes, never values.
create or replace function ingest.fail_import_run(run_id uuid, lease integer, error jsonb, counts jsonb default null)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update ingest.import_runs set
    status = 'failed', updated_at = now(), completed_at = now(),
    error_details = coalesce(error_details, '{}') || $3,
    rows_fetched = coalesce(($4 ->> 'fetched')::int, rows_fetched),
    rows_inserted = coalesce(($4 ->> 'inserted')::int, rows_inserted),
    rows_updated = coalesce(($4 ->> 'updated')::int, rows_updated),
    rows_skipped = coalesce(($4 ->> 'skipped')::int, rows_skipped),
    rows_errored = coalesce(($4 ->> 'errored')::int, rows_errored)
  where id = $1 and lease_generation = $2 and status = 'processing';
  return found;
end
$$;

-- A run that one of Intake's workflows works on is its alone: whoever else has a word for it (runbook 002) is refused.
create or replace function ingest.is_open_to_all(r ingest.import_runs) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select (($1).status <> 'processing' or ($1).claim_token is null) and (($1).status = 'rolled_back' or not ($1).metadata ? 'rollback')
  and not ($1).metadata ? 'retired' $$;

create or replace function ingest.refuse_if_at_work(run_id uuid) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform ingest.refuse_half_withdrawn(r), ingest.refuse_retired(r) from ingest.import_runs r where r.id = $1;
  if exists (select from ingest.import_runs r where r.id = $1 and not ingest.is_open_to_all(r)) then
    raise exception 'run % is at work', $1 using errcode = 'IN004',
      hint = 'Wait for its end (intake runs watch ID), or stop it (intake cancel ID).';
  end if;
end
$$;

-- Runs of these kinds may need each other's landed rows when they are rolled back.
create or replace function ingest.rollback_family(kind text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select case when k.suffix in ('plaintiffs', 'judgments') then 'people' else k.suffix end from ingest.import_kinds k where k.kind = $1 $$;

create or replace function ingest.refuse_retired(run ingest.import_runs) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if ($1).metadata ? 'retired' then
    raise exception 'the rows of run % were deleted by retention at %: it cannot be compared or rolled back any more', ($1).id,
      ($1).metadata #>> '{retired,at}' using errcode = 'IN004',
      hint = 'What it put into production is as it was. Import a corrected file, or change production by hand.';
  end if;
end
$$;

-- A rollback that has begun is finished first.
create or replace function ingest.refuse_half_withdrawn(run ingest.import_runs) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if ($1).status <> 'rolled_back' and ($1).metadata ? 'rollback' then
    raise exception 'run % is being rolled back: % of % rows are withdrawn', ($1).id, ($1).metadata #>> '{rollback,rows_affected}',
      ($1).metadata #>> '{rollback,rows_total}' using errcode = 'IN004', hint = 'Finish it: intake rollback ID --reason TEXT.';
  end if;
end
$$;

-- Runbook 002: counters of a run; {"fatal": true} in error_details fails it.
create or replace function ingest.finalize_import_run(
  run_id uuid, rows_fetched integer, rows_inserted integer, rows_skipped integer, rows_errored integer,
  error_details jsonb default null, mark_completed boolean default true, rows_updated integer default 0
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_fatal boolean := coalesce(($6 ->> 'fatal')::boolean, false);
begin
  update ingest.import_runs r set
    rows_fetched = $2, rows_inserted = $3, rows_skipped = $4, rows_errored = $5, rows_updated = coalesce($8, 0),
    error_details = case when $6 is null then r.error_details else coalesce(r.error_details, '{}') || $6 end,
    status = case when v_fatal then 'failed' when $7 then 'completed' else r.status end,
    completed_at = case when v_fatal or $7 then now() else r.completed_at end,
    updated_at = now(), metadata = r.metadata - 'counted'
  where r.id = $1 and ingest.is_open_to_all(r)
    and (r.status in ('pending', 'processing', 'completed')
      or r.status = 'failed' and (v_fatal or not $7 or r.error_details ? 'reconciliation_failed'));
  if not found then
    perform ingest.refuse_if_at_work($1);
    if exists (select from ingest.import_runs r where r.id = $1 and r.status = 'failed') then
      raise exception 'run % has failed: it is not completed by its counters', $1 using errcode = 'IN004',
        hint = 'Claim it again, or import the file again.';
    end if;
    raise exception 'no live import run %', $1 using errcode = 'IN002';
  end if;
end
$$;

do $$
begin
  create type ingest.import_reconciliation as (
    is_valid boolean, expected_count integer, actual_count integer, delta integer,
    reported_inserted integer, actual_total integer, inserted_discrepancy integer, is_reconciled boolean);
exception when duplicate_object then null;
end
$$;

-- Compares reported with actual rows of the final tables and marks the run completed or failed. A run that failed for another
-- reason, or was rolled back, is only compared.
-- What names the run though none of its rows made it is looked for when somebody asks: it reads production tables whole.
create or replace function ingest.compare_import_run(run_id uuid, expected_count integer, with_strays boolean default false)
returns ingest.import_reconciliation
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  v_tally jsonb;
  v_others text;
  a ingest.import_reconciliation;
begin
  select * into r from ingest.import_runs i where i.id = $1 for update;
  if not found then
    raise exception 'no import run %', $1 using errcode = 'IN002';
  end if;
  v_tally := ingest.tally_import_run(r.id, r.import_kind);
  a.expected_count := coalesce($2, r.rows_fetched);
  a.actual_count := (v_tally ->> 'total')::int;
  a.delta := a.actual_count - a.expected_count;
  a.reported_inserted := r.rows_inserted;
  a.actual_total := (v_tally ->> 'total')::int;
  a.inserted_discrepancy := r.rows_inserted - (v_tally ->> 'inserted')::int;
  a.is_reconciled := a.inserted_discrepancy = 0;
  update ingest.import_runs i set metadata = i.metadata || jsonb_build_object('counted', v_tally) where i.id = r.id;
  a.is_valid := a.delta = 0 and a.inserted_discrepancy = 0;
  -- Of a run that Intake settled all counters are known; another program may not land what it skipped.
  if r.metadata ? 'summary' then
    select string_agg(format('%s off by %s', c.name, c.reported - coalesce((v_tally ->> c.name)::int, 0)), ', ') into v_others
    from (values ('skipped', r.rows_skipped), ('errored', r.rows_errored), ('updated', r.rows_updated)) as c (name, reported)
    where c.reported <> coalesce((v_tally ->> c.name)::int, 0);
    if $3 and a.is_valid and v_others is null then
      select string_agg(format('%s of %s name this run, which did not make them', e.value, e.key), ', ') into v_others from jsonb_each(ingest.find_strays(r)) e;
    end if;
    a.is_valid := a.is_valid and v_others is null;
  end if;
  if a.is_valid and (r.status in ('pending', 'processing') or r.status = 'failed' and r.error_details ? 'reconciliation_failed') then
    update ingest.import_runs set
      status = 'completed', completed_at = now(), updated_at = now(),
      error_details = nullif(error_details - array['reconciliation_failed', 'type', 'message'], '{}')
    where id = r.id;
  elsif not a.is_valid and r.status in ('pending', 'processing', 'completed') then
    update ingest.import_runs set
      status = 'failed', completed_at = now(), updated_at = now(),
      error_details = coalesce(error_details, '{}') || jsonb_build_object(
        'reconciliation_failed', true, 'type', 'RECONCILIATION_FAILED',
        'message', format('expected %s rows, found %s; reported %s inserted, off by %s',
                          a.expected_count, a.actual_count, a.reported_inserted, a.inserted_discrepancy) || coalesce('; ' || v_others, ''))
    where id = r.id;
  end if;
  return a;
end
$$;

-- Runbook 002: the same for whoever asks; refused while Intake works on the run.
create or replace function ingest.reconcile_import_run(run_id uuid, expected_count integer default null)
returns ingest.import_reconciliation
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
as $$
begin
  perform from ingest.import_runs i where i.id = $1 for update;
  perform ingest.refuse_if_at_work($1);
  return ingest.compare_import_run($1, $2, true);
end
$$;

-- The same for the run's own execution: refused when the lease has passed on. Repeated it answers what was settled, without
-- counting: a count that outlasts a request of the API goes on, and the next request has its answer.
create or replace function ingest.settle_import_run(run_id uuid, lease integer, expected_count integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
as $$
declare
  v_settled jsonb;
begin
  select r.metadata -> 'settled' into v_settled from ingest.import_runs r where r.id = $1 and r.lease_generation = $2 and r.status in ('processing', 'completed', 'failed')
    and (r.status <> 'failed' or r.error_details ? 'reconciliation_failed') for update;
  if not found then
    raise exception 'the run was taken over, ended or rolled back' using errcode = 'IN001';
  end if;
  if (v_settled ->> 'lease')::int = $2 then
    return v_settled - 'lease';
  end if;
  v_settled := to_jsonb(ingest.compare_import_run($1, $3));
  update ingest.import_runs r set
    metadata = r.metadata || jsonb_build_object('settled', v_settled || jsonb_build_object('completed_at', r.completed_at, 'lease', $2))
  where r.id = $1
  returning r.metadata -> 'settled' into v_settled;
  return v_settled - 'lease';
end
$$;

do $$
begin
  create type ingest.import_rollback as (success boolean, rows_affected integer);
exception when duplicate_object then null;
end
$$;

-- Two rollbacks of one source, of people or of a dataset wait for each other here, before either holds a run.
create or replace function ingest.lock_for_rollback(run_id uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  r ingest.import_runs;
begin
  perform ingest.lock_source_of($1, true);
  select * into r from ingest.import_runs i where i.id = $1;
  perform ingest.lock_turn(case ingest.rollback_family(r.import_kind)
    when 'people' then 'people' when 'projects' then 'projects:' || r.source_system when 'search_results' then ingest.turn_of_dataset(r) end);
end
$$;

-- Withdraws the next rows of a run: one part of a rollback, in one transaction, so that others wait for a part at most. The rows that are
-- marked tell how far it is, so the next call goes on, whoever makes it; the ledger (step `rollback`) has what each part did, and
-- metadata.rollback the sum. A run that is not yet withdrawn as a whole can be neither claimed nor reconciled.
-- Answers {success, done, rows_affected, rows_total}.
create or replace function ingest.rollback_rows(run_id uuid, reason text, max_rows integer default 10000) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  v_total integer;
  v_part jsonb;
  v_result jsonb;
  v_done boolean;
begin
  perform ingest.lock_for_rollback($1);
  select * into r from ingest.import_runs i where i.id = $1 for update; -- waits for running effects, stops further ones
  if not found or r.status = 'duplicate' then
    return '{"success": false, "done": true, "rows_affected": 0, "rows_total": 0}';
  end if;
  if r.status = 'rolled_back' then
    return '{"success": true, "done": true, "rows_affected": 0, "rows_total": 0}';
  end if;
  perform ingest.refuse_retired(r);
  if ingest.kind_suffix(r.import_kind) is null then
    raise exception 'run % is of a kind that is gone from this database: %', $1, r.import_kind using errcode = 'IN004',
      hint = 'Its rows stay as they are. Install the kind again to withdraw them.';
  end if;
  v_total := (r.metadata #>> '{rollback,rows_total}')::integer;
  if v_total is null then
    execute format('select count(*) from %s l where l.import_run_id = $1', (ingest.model_of_run(r.import_kind, r.id)).landed_table)
      into v_total using r.id;
  end if;
  v_part := ingest.withdraw_rows(r, $3);
  v_result := ingest.add_results(coalesce((r.metadata -> 'rollback') - '{rows_total,after_row}'::text[], '{}'), coalesce(v_part - 'after_row', '{}'));
  v_done := coalesce((v_part ->> 'rows_affected')::integer, 0) < $3;
  if v_part is not null and not (v_done and not r.metadata ? 'rollback') then
    insert into ingest.import_run_steps (run_id, step, part, result)
    select r.id, 'rollback', count(*), v_part - 'after_row' from ingest.import_run_steps s where s.run_id = r.id and s.step = 'rollback';
  end if;
  update ingest.import_runs i set
    status = case when v_done then 'rolled_back' when i.status in ('pending', 'processing') then 'failed' else i.status end,
    rolled_back_at = case when v_done then now() end, updated_at = now(), rollback_reason = $2,
    error_details = coalesce(i.error_details, '{}') || jsonb_build_object('rollback_reason', $2),
    metadata = i.metadata || jsonb_build_object('rollback', v_result || case when v_done then '{}' else jsonb_build_object('rows_total', v_total, 'after_row', v_part -> 'after_row') end)
  where i.id = r.id;
  return jsonb_build_object('success', true, 'done', v_done, 'rows_affected', v_result -> 'rows_affected', 'rows_total', v_total);
end
$$;

-- Runbook 001 and 002: soft delete. Marks the rows rolled back and withdraws what only this run put into production;
-- what was edited since stays and is listed in metadata.rollback. All parts in one transaction.
create or replace function ingest.rollback_import_run(run_id uuid, reason text) returns ingest.import_rollback
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '30min'
as $$
declare
  v_answer jsonb;
begin
  loop
    v_answer := ingest.rollback_rows($1, $2);
    exit when (v_answer ->> 'done')::boolean;
  end loop;
  return ((v_answer ->> 'success')::boolean, (v_answer ->> 'rows_affected')::integer)::ingest.import_rollback;
end
$$;

-- What a rollback would do now: it is done, told and undone, a part at a time. Answers the sum so far with {done}; until it is, the answer is
-- handed back as `former`. Parts know nothing of each other, so that what an earlier part would have passed on may be counted otherwise.
create or replace function ingest.preview_rollback(run_id uuid, former jsonb default null, max_rows integer default 10000) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
as $$
declare
  v_progress jsonb;
  v_answer jsonb;
begin
  begin
    perform ingest.lock_for_rollback($1);
    if $2 is not null then
      update ingest.import_runs r set metadata = r.metadata || jsonb_build_object('rollback', ($2 - 'done') || '{"rows_total": 0, "preview": true}')
      where r.id = $1 and r.status <> 'rolled_back';
    end if;
    v_progress := ingest.rollback_rows($1, 'preview', $3);
    select r.metadata -> 'rollback' into v_answer from ingest.import_runs r where r.id = $1;
    raise exception using errcode = 'IN005';
  exception when sqlstate 'IN005' then null;
  end;
  return (coalesce(v_answer, '{}') - '{rows_total,preview}'::text[])
    || jsonb_build_object('rows_affected', v_progress -> 'rows_affected', 'done', v_progress -> 'done');
end
$$;

-- Rejected rows of a run after a row index, oldest first: [{row_index, line, code, message, record (base64)}].
create or replace function ingest.read_rejects(run_id uuid, after_row integer default -1, max_rows integer default 500) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  m ingest.kind_models;
  v_result jsonb;
begin
  select (ingest.model_of_run(r.import_kind, r.id)).* into m from ingest.import_runs r where r.id = $1;
  if m.model is null then
    raise exception 'no import run %', $1 using errcode = 'IN002';
  end if;
  execute case when 'rejects' = any (m.own) then format('select ingest.%I($1, $2, $3)', 'rejects_' || m.model)
          else ingest.rejects_statement(m) end into v_result using $1, $2, $3;
  return coalesce(v_result, '[]');
end
$$;

-- What follows in this transaction are Intake's own writes, which triggers do not note.
create or replace function ingest.own_writes(are boolean) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ select set_config('intake.own_writes', case when $1 then 'yes' else '' end, true) $$;

-- An edit shows in updated_at. What Intake's own functions write is none: the triggers leave out updates that pass a row to another run.
create or replace function ingest.touch_updated_at() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;
