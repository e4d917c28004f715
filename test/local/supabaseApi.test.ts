import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { createDatabase, startApi } from '../support/stack.ts';
import type { TestApi, TestDatabase } from '../support/stack.ts';

describe('the embedded Supabase API', () => {
  let database: TestDatabase;
  let api: TestApi;
  const client = (key: string) =>
    createClient(api.url, key, { auth: { persistSession: false, autoRefreshToken: false } });
  const ingest = (key: string) => client(key).schema('ingest' as 'public');

  before(async () => {
    database = await createDatabase();
    const sql = postgres(database.databaseUrl, { max: 1, onnotice: () => undefined });
    await sql.unsafe(`
      CREATE SCHEMA IF NOT EXISTS ingest;
      GRANT USAGE ON SCHEMA ingest TO anon, authenticated, service_role;
      CREATE FUNCTION ingest.probe_json(doc jsonb) RETURNS jsonb LANGUAGE sql AS
        $$ SELECT jsonb_build_object('type', jsonb_typeof(doc), 'length', jsonb_array_length(doc), 'first', doc -> 0) $$;
      CREATE FUNCTION ingest.probe_rows(n integer) RETURNS TABLE (i integer, word text) LANGUAGE sql AS
        $$ SELECT g, 'w' || g FROM generate_series(1, n) g $$;
      CREATE FUNCTION ingest.probe_role() RETURNS text LANGUAGE sql AS $$ SELECT current_user::text $$;
      CREATE FUNCTION ingest.probe_text(body text) RETURNS integer LANGUAGE sql AS $$ SELECT length(body) $$;
      CREATE FUNCTION ingest.probe_refusal(state text) RETURNS void LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused' USING errcode = state, detail = 'why', hint = 'what to do'; END $$;
      CREATE TABLE public.probe_secret (id integer);
      INSERT INTO public.probe_secret VALUES (1);
      ALTER TABLE public.probe_secret ENABLE ROW LEVEL SECURITY;
      GRANT SELECT ON public.probe_secret TO anon, service_role;`);
    await sql.end();
    api = await startApi(database.databaseUrl);
  });
  after(async () => {
    await api?.stop();
    await database?.drop();
  });

  it('passes a json argument of 10 MB once encoded', async () => {
    const doc = Array.from({ length: 50_000 }, (_, i) => ({ i, text: 'x'.repeat(190), quote: '"', accent: 'é' }));
    const { data, error } = await ingest(api.serviceRoleKey).rpc('probe_json', { doc });
    assert.equal(error, null);
    assert.deepEqual(data, { type: 'array', length: 50_000, first: doc[0] });
  });

  it('takes an rpc body of 20 MB', async () => {
    const { data, error } = await ingest(api.serviceRoleKey).rpc('probe_text', { body: 'y'.repeat(20_000_000) });
    assert.equal(error, null);
    assert.equal(data, 20_000_000);
  });

  it('returns the rows of a function that returns a table', async () => {
    const { data, error } = await ingest(api.serviceRoleKey).rpc('probe_rows', { n: 2 });
    assert.equal(error, null);
    assert.deepEqual(data, [
      { i: 1, word: 'w1' },
      { i: 2, word: 'w2' },
    ]);
  });

  it('answers with the SQLSTATE, detail and hint of any refusal, as PostgREST does', async () => {
    for (const state of [
      '23514',
      '23505',
      '40001',
      '40P01',
      '42P01',
      '53100',
      '55P03',
      '57014',
      '57P01',
      'IN004',
      'P0001',
      'XX000',
    ]) {
      const { error } = await ingest(api.serviceRoleKey).rpc('probe_refusal', { state });
      const { code, details, hint } = error!;
      assert.equal(code, state);
      if (!/^2350/.test(state)) assert.deepEqual({ details, hint }, { details: 'why', hint: 'what to do' });
    }
  });

  it('runs a request in the role of its key, under row level security', async () => {
    assert.equal((await ingest(api.serviceRoleKey).rpc('probe_role')).data, 'service_role');
    assert.equal((await ingest(api.anonKey).rpc('probe_role')).data, 'anon');
    assert.deepEqual((await client(api.serviceRoleKey).from('probe_secret').select()).data, [{ id: 1 }]);
    assert.deepEqual((await client(api.anonKey).from('probe_secret').select()).data, []);
    assert.ok((await ingest('sb_secret_wrong').rpc('probe_role')).error);
  });

  it('stores and returns an object of 8 MB byte for byte, for the service role only', async () => {
    const bytes = randomBytes(8 * 1024 * 1024);
    const bucket = client(api.serviceRoleKey).storage.from('imports');
    const uploaded = await bucket.upload('ab/cd/part-0', bytes, { contentType: 'application/octet-stream' });
    assert.equal(uploaded.error, null);
    const again = await bucket.upload('ab/cd/part-0', bytes, { contentType: 'application/octet-stream', upsert: true });
    assert.equal(again.error, null);
    const { data, error } = await bucket.download('ab/cd/part-0');
    assert.equal(error, null);
    assert.ok(bytes.equals(Buffer.from(await data!.arrayBuffer())));
    assert.ok((await client(api.anonKey).storage.from('imports').download('ab/cd/part-0')).error);
    assert.ok((await bucket.download('ab/cd/absent')).error);
  });

  it('serves its three services alone, not what its library tells of the database', async () => {
    for (const path of [
      '/_system/info',
      '/_system/introspect',
      '/_system/config',
      '/',
      '/rest/v10/x',
      '/_system/../_system/info',
    ]) {
      const answer = await fetch(new URL(path, api.url));
      assert.equal(answer.status, 404, path);
      assert.doesNotMatch(await answer.text(), /postgresql:/);
    }
  });

  it('answers to no other name than the loopback address, as a page would use by DNS rebinding', async () => {
    const status = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { host, apikey: api.serviceRoleKey };
        get(`${api.url}/storage/v1/bucket`, { headers }, (answer) => resolve(answer.resume().statusCode)).on(
          'error',
          reject,
        );
      });
    assert.equal(await status('rebind.evil.example:9303'), 404);
    assert.equal(await status(new URL(api.url).host), 200);
    assert.equal(await status('localhost:1'), 200);
  });

  it('gives anon and authenticated no right that the migrations do not give', async () => {
    assert.equal((await client(api.anonKey).from('projects').select('*')).data, null);
    const sql = postgres(database.databaseUrl, { max: 1 });
    try {
      const rights = await sql`
        SELECT format('%s: %s on %s', grantee, privilege_type, table_name) AS text FROM information_schema.table_privileges
        WHERE table_schema IN ('public', 'ingest') AND table_name <> 'probe_secret'
          AND (grantee = 'anon' OR grantee = 'authenticated' AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER'))`;
      assert.deepEqual(
        rights.map(({ text }) => text as string),
        [],
      );
    } finally {
      await sql.end();
    }
  });
});
