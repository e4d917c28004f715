/** What hosted Supabase answers when something is wrong, and what Intake makes of it. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { Backend } from '../../src/database/backend.ts';
import { supabaseBackend } from '../../src/database/backends/supabase.ts';
import { watchSchemaCache } from '../../src/database/schemaCache.ts';
import { ERRORS, IntakeError, type ErrorCode } from '../../src/errors.ts';
import { GATEWAY, REST, STORAGE } from '../support/hosted/answers.ts';
import { startFaultServer, type Answer, type FaultServer } from '../support/hosted/faultServer.ts';
import { createDatabase, startApi, type TestApi, type TestDatabase } from '../support/stack.ts';

/** A case: the code that it ends with and words that the operator reads; `undefined`: nothing is wrong. */
type Expected = readonly [code: ErrorCode, words: RegExp] | undefined;

const STORAGE_AWAY = ['STORAGE_UNAVAILABLE', /./] as const;
const DATABASE_AWAY = ['DATABASE_UNAVAILABLE', /./] as const;

const PUT: Record<string, readonly [Answer, Expected]> = {
  'a policy that refuses': [STORAGE.policy, ['STORAGE_DENIED', /secret key/]],
  'a policy that refuses, of an older Storage': [STORAGE.olderPolicy, ['STORAGE_DENIED', /secret key/]],
  'a wrong key': [STORAGE.badKey, ['STORAGE_DENIED', /secret key/]],
  'an expired key': [STORAGE.expiredKey, ['STORAGE_DENIED', /not expired/]],
  'an expired key, of an older Storage': [STORAGE.expiredToken, ['STORAGE_DENIED', /not expired/]],
  'a key that the gateway refuses': [GATEWAY.badKey, ['STORAGE_DENIED', /secret key/]],
  'a missing bucket': [STORAGE.noBucket, ['BUCKET_MISSING', /no bucket 'imports'.*migrate/s]],
  'a missing bucket, of an older Storage': [STORAGE.olderNoBucket, ['BUCKET_MISSING', /no bucket 'imports'/]],
  'an object that is stored already': [STORAGE.duplicate, undefined],
  'a mime type that the bucket refuses': [STORAGE.mimeType, ['OBJECT_REFUSED', /type or size.*any type/s]],
  'a mime type, of an older Storage': [STORAGE.olderMimeType, ['OBJECT_REFUSED', /type or size/]],
  'a size that the bucket refuses': [STORAGE.tooLarge, ['OBJECT_REFUSED', /of this size/]],
  'a request that Storage calls wrong': [STORAGE.wrongRequest, ['OBJECT_REFUSED', /this object/]],
  'a size that a gateway refuses': [GATEWAY.tooLarge, ['REQUEST_TOO_LARGE', /takes no request of this size/]],
  'too many requests': [STORAGE.slowDown, STORAGE_AWAY],
  'a locked object': [STORAGE.locked, STORAGE_AWAY],
  "a time-out of Storage's database": [STORAGE.databaseTimeout, STORAGE_AWAY],
  'a fault of the store behind Storage': [STORAGE.s3, STORAGE_AWAY],
  'an internal error': [STORAGE.internal, STORAGE_AWAY],
  'a paused project': [GATEWAY.paused, ['STORAGE_UNAVAILABLE', /paused.*dashboard/s]],
  'a page of the guest network': [GATEWAY.portal, ['STORAGE_UNAVAILABLE', /no JSON/]],
  'a page that says 403': [GATEWAY.forbidden, STORAGE_AWAY],
  'a wrong address': [GATEWAY.notFound, ['STORAGE_UNAVAILABLE', /without a path/]],
  'an answer that breaks off': [GATEWAY.brokeOff, ['STORAGE_UNAVAILABLE', /broke off/]],
  'no answer': [GATEWAY.reset, ['STORAGE_UNAVAILABLE', /broke off/]],
};

const GET: Record<string, readonly [Answer, Expected]> = {
  'a missing object': [STORAGE.noObject, ['OBJECT_MISSING', /no such object: .*part/]],
  'a missing bucket': [STORAGE.noBucket, ['BUCKET_MISSING', /no bucket/]],
  'a wrong key': [STORAGE.badKey, ['STORAGE_DENIED', /secret key/]],
  'a download that breaks off': [GATEWAY.brokeOff, ['STORAGE_UNAVAILABLE', /broke off/]],
  'a page of the guest network': [GATEWAY.portal, ['STORAGE_UNAVAILABLE', /no JSON/]],
  'a page of the edge': [GATEWAY.badGateway, STORAGE_AWAY],
};

const CALL: Record<string, readonly [Answer, Expected]> = {
  'a page of the edge (502)': [GATEWAY.badGateway, ['DATABASE_UNAVAILABLE', /gateway.*502/]],
  'a page of the edge (520)': [GATEWAY.unknownError, DATABASE_AWAY],
  'a page of the edge (522)': [GATEWAY.down, DATABASE_AWAY],
  'a page of the edge (403)': [GATEWAY.forbidden, DATABASE_AWAY],
  'a page in the place of an answer (200)': [GATEWAY.portal, ['DATABASE_UNAVAILABLE', /no JSON/]],
  'a page in the place of an answer (201)': [GATEWAY.created, ['DATABASE_UNAVAILABLE', /no JSON/]],
  'an empty answer (200)': [GATEWAY.empty, ['DATABASE_UNAVAILABLE', /no JSON/]],
  'an answer that is cut': [GATEWAY.notJson, ['DATABASE_UNAVAILABLE', /no JSON/]],
  'an answer that breaks off': [GATEWAY.brokeOff, ['DATABASE_UNAVAILABLE', /broke off/]],
  'no answer': [GATEWAY.reset, ['DATABASE_UNAVAILABLE', /broke off/]],
  'a paused project': [GATEWAY.paused, ['DATABASE_UNAVAILABLE', /paused.*dashboard/s]],
  'a route that the gateway does not know': [
    GATEWAY.noRoute,
    ['DATABASE_UNAVAILABLE', /SUPABASE_URL.*without a path/s],
  ],
  'a request that is too large': [GATEWAY.tooLarge, ['REQUEST_TOO_LARGE', /INTAKE_CHUNK_BYTES.*--batch-size/s]],
  'a wrong key': [GATEWAY.badKey, ['DATABASE_DENIED', /refuses the key \(401\).*secret key/s]],
  'an expired key': [REST.expiredKey, ['DATABASE_DENIED', /key/]],
  'an API without its database': [REST.noDatabase, DATABASE_AWAY],
  'an API that is loading its cache': [REST.noCache, DATABASE_AWAY],
  'an API without a free connection': [REST.noConnection, DATABASE_AWAY],
  'a statement that was too slow': [REST.timeout, ['DATABASE_BUSY', /57014/]],
  "the database's own refusal": [REST.refused, ['DATABASE_REFUSED', /22P02/]],
};

describe('hosted Supabase', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let api: TestApi;
  let faults: FaultServer;
  let backend: Backend;
  before(async () => {
    database = await createDatabase();
    api = await startApi(database.databaseUrl);
    faults = await startFaultServer(api.url);
    backend = supabaseBackend({ url: faults.url, serviceKey: api.serviceRoleKey });
  });
  after(async () => {
    await faults?.stop();
    await api?.stop();
    await database?.drop();
  });
  afterEach(() => faults.set());

  async function expect(work: () => Promise<unknown>, expected: Expected): Promise<void> {
    const error = await work().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.deepEqual(faults.given(), [1]);
    if (!expected) return assert.equal(error, undefined);
    assert.ok(error instanceof IntakeError, String(error));
    const [code, words] = expected;
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message}. ${error.remedy}`, words);
    if (ERRORS[code].kind === 'retry') await work(); // the next request passes
  }

  for (const [name, [answer, expected]] of Object.entries(PUT))
    it(`storing an object meets ${name}`, async () => {
      faults.set({ path: /^\/storage\//, answer, times: 1 });
      const path = `${randomUUID()}/part-00000`;
      await expect(() => backend.objects.put(path, Buffer.from('x')), expected);
    });

  for (const [name, [answer, expected]] of Object.entries(GET))
    it(`reading an object meets ${name}`, async () => {
      const path = `${randomUUID()}/part-00000`;
      await backend.objects.put(path, Buffer.alloc(100_000, 7));
      faults.set({ path: /^\/storage\//, answer, times: 1 });
      await expect(() => backend.objects.get(path), expected);
    });

  for (const [name, [answer, expected]] of Object.entries(CALL)) {
    it(`a call meets ${name}`, async () => {
      faults.set({ path: /^\/rest\//, answer, times: 1 });
      await expect(() => backend.call('health', {}), expected);
    });
    it(`staging rows meets ${name}`, async () => {
      faults.set({ path: /stage_chunk$/, answer, times: 1 });
      const chunk = { stageId: randomUUID(), kind: 'plaintiffs', table: 'plaintiffs', chunk: 0, columns: ['part'] };
      await expect(
        () => backend.stage({ ...chunk, rows: 0, errored: 0, payload: new TextEncoder().encode('[]') }),
        expected,
      );
    });
  }

  it('is waited for while its cache of the schema is behind, and told from a database that has not the function', async () => {
    for (const answer of [REST.staleFunction, REST.staleTable]) {
      faults.set({ path: /heartbeat_import_run$/, answer });
      const call = () => backend.call('heartbeat_import_run', { run_id: randomUUID() });
      await assert.rejects(call(), {
        code: 'DATABASE_UNAVAILABLE',
        message: /has not loaded its schema anew.*heartbeat_import_run yet/,
      });
      faults.set();
      assert.equal(await call(), false);
    }
    await assert.rejects(backend.call('no_such_function' as 'health', {}), {
      code: 'DATABASE_SCHEMA',
      message: /has no function no_such_function/,
    });

    // Nobody waits longer than two minutes, and what is then wrong is said.
    const health = await backend.call('health', {});
    const stale = new IntakeError('DATABASE_SCHEMA', 'x', { cause: { code: 'PGRST202' } });
    for (const [known, words] of [
      [health, /has not loaded its schema anew: the database has function heartbeat_import_run/],
      [undefined, /could not be asked/],
    ] as const) {
      let time = 0;
      const cache = watchSchemaCache(
        async () => known,
        () => time,
      );
      const codes = [];
      for (; time <= 120_000; time += 30_000) codes.push((await cache.judge(stale, 'heartbeat_import_run')).code);
      assert.deepEqual(codes, [
        'DATABASE_UNAVAILABLE',
        'DATABASE_UNAVAILABLE',
        'DATABASE_UNAVAILABLE',
        'DATABASE_UNAVAILABLE',
        'DATABASE_SCHEMA',
      ]);
      assert.match((await cache.judge(stale, 'heartbeat_import_run')).message, words);
      time += 3_600_000; // another migration, much later
      assert.equal((await cache.judge(stale, 'heartbeat_import_run')).code, 'DATABASE_UNAVAILABLE');
    }
  });

  it('is waited for as long as it says', async () => {
    for (const [answer, path, ms] of [
      [STORAGE.slowDown, /^\/storage\//, 2000],
      [GATEWAY.busy, /^\/rest\//, 3000],
    ] as const) {
      faults.set({ path, answer });
      const work = path.test('/rest/') ? backend.call('health', {}) : backend.objects.put('a/b', Buffer.from('x'));
      await assert.rejects(work, { retryAfterMs: ms, retryable: true });
    }
  });
});
