import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { PASSWORD, openDashboard, type DashboardPlace } from '../../browser/place.ts';
import { plaintiffsCsv } from '../../support/imports.ts';

interface Page {
  readonly status: number;
  readonly text: string;
  readonly headers: { get(name: string): string | null; getSetCookie(): string[] };
}

/** Somebody's browser, without a browser. */
interface Visitor {
  get(path: string, headers?: Record<string, string>): Promise<Page>;
  post(path: string, form?: Record<string, string>, headers?: Record<string, string>): Promise<Page>;
}

describe('the dashboard over HTTP', function () {
  this.timeout(120_000);
  let dashboard: DashboardPlace;
  let plaintiffs: string;
  let telco: string;
  let other: string;
  const visitors: Record<string, Visitor> = {};

  const send = async (path: string, init: RequestInit): Promise<Page> => {
    const response = await fetch(dashboard.gateway.url + path, { redirect: 'manual', ...init });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const visitorWith = (cookie: string): Visitor => ({
    get: (path, headers = {}) => send(path, { headers: { cookie, accept: 'text/html', ...headers } }),
    post: (path, form = {}, headers = {}) =>
      send(path, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { cookie, origin: dashboard.gateway.url, ...headers },
      }),
  });
  const signIn = (email: string, password = PASSWORD): Promise<Page> =>
    visitorWith('').post('/sign-in', { email, password, next: '/runs' });
  const cookieOf = ({ headers }: Page): string => headers.getSetCookie()[0]!.split(';')[0]!;
  const projectsRun = async (tenant: string): Promise<string> => {
    const [run] = await dashboard.place.sql<{ id: string }[]>`
      INSERT INTO ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, completed_at)
      VALUES (${tenant}, 'b', 'h', ${`${tenant}.csv`}, 'projects', 'completed', now()) RETURNING id`;
    return run!.id;
  };

  before(async () => {
    dashboard = await openDashboard();
    plaintiffs = await dashboard.imported(plaintiffsCsv(200), 'people.csv');
    telco = await projectsRun('TELCO');
    other = await projectsRun('OTHER');
    await dashboard.place
      .sql`INSERT INTO public.import_anomalies (tenant_id, batch_id, anomaly_type, input_value, payload_excerpt)
      VALUES ('TELCO', 'b1', 'UNKNOWN_DS', 'a value of TELCO', ${'x'.repeat(500)}), ('OTHER', 'b2', 'UNKNOWN_RM', 'a value of OTHER', '{}')`;
    for (const [name, role, tenant] of [
      ['operator', 'operator'],
      ['viewer', 'viewer'],
      ['operatorT', 'operator', 'TELCO'],
      ['viewerT', 'viewer', 'TELCO'],
      ['nobody'],
    ] as const) {
      visitors[name] = visitorWith(cookieOf(await signIn(await dashboard.person(role, tenant))));
    }
  });
  after(() => dashboard.close());

  it('shows of a run what was noticed, and what each header was taken for', async () => {
    const summary = {
      plan: {
        headers: [
          { header: 'Full Name', column: 'plaintiff_name' },
          { header: 'Fax', column: null, suggestion: 'contact_phone' },
        ],
        remarks: {},
      },
      remarks: { SHARED_CONTACT: { count: 2, detail: 'line 3 and line 2' } },
    };
    const { sql } = dashboard.place;
    await sql`UPDATE ingest.import_runs SET metadata = metadata || jsonb_build_object('summary', coalesce(metadata -> 'summary', '{}') || ${sql.json(summary)}) WHERE id = ${plaintiffs}`;
    const text = (await visitors['viewer']!.get(`/runs/${plaintiffs}`)).text.replace(/\s+/g, ' ');
    assert.match(
      text,
      /2 rows with an e-mail or phone of a plaintiff whose name differs.*line 3 and line 2.*SHARED_CONTACT/,
    );
    assert.match(text, /Full Name<\/td> <td> ?<code>plaintiff_name<\/code>/);
    assert.match(text, /Fax<\/td> <td> ?not taken; perhaps <code>contact_phone<\/code>/);
  });

  it('finds runs by a part of the name of their source, in any case, and has a label for it', async () => {
    const found = (await visitors['viewer']!.get('/runs?source=TEl')).text;
    assert.match(found, /<label\s*>Source<input name="source"/);
    assert.ok(found.includes('TELCO.csv') && !found.includes('people.csv'), found);
    assert.match((await visitors['viewer']!.get('/runs?source=100%25')).text, /No runs match/);
  });

  it('shows a completed run as it was, whatever was tried with its batch afterwards and when Temporal has it no more', async () => {
    const { place } = dashboard;
    const path = await place.file(plaintiffsCsv(60), 'again.csv');
    const id = (await place.run(await place.input({ path }))).runId!;
    assert.equal((await place.run(await place.input({ path }))).status, 'duplicate');
    const page = async () => (await visitors['operator']!.get(`/runs/${id}`)).text.replace(/\s+/g, ' ');
    const phases = (text: string) => [...text.matchAll(/<span class="heard">(\w+)<\/span/g)].map(([, word]) => word);
    const shown = await page();
    assert.deepEqual(phases(shown), Array(8).fill('done'));
    assert.match(shown, /Why rows were rejected/);
    const [run] = await place.sql<{ token: string; worker: string }[]>`
      SELECT claim_token AS token, worker_id AS worker FROM ingest.import_runs WHERE id = ${id}`;
    assert.ok(shown.includes(`/${run!.token}/history`));
    await place.sql`UPDATE ingest.import_runs SET worker_id = ${`${run!.worker}/gone`} WHERE id = ${id}`;
    const kept = await page();
    assert.deepEqual(phases(kept), Array(8).fill('done'));
    assert.match(kept, /Why rows were rejected/);
    const [attempt] = await place.sql<{ id: string }[]>`
      SELECT id FROM ingest.import_runs WHERE status = 'duplicate' AND metadata ->> 'duplicate_of' = ${id}`;
    const refused = (await visitors['operator']!.get(`/runs/${attempt!.id}`)).text;
    assert.match(refused, new RegExp(`imported already, by run\\s*<a href="/runs/${id}"`));
  });

  it('shows failed items of a directory, their names to operators', async () => {
    const directory = {
      failed: 2,
      failedItems: [
        {
          item: 'FL/A_01.png',
          kind: 'image',
          code: 'IMAGE_MISSING',
          message: 'The directory has no image of that name.',
        },
      ],
    };
    const { sql } = dashboard.place;
    const [run] = await sql<{ id: string }[]>`
      INSERT INTO ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, completed_at, metadata)
      VALUES ('scrape', 'b', 'h', 'FL', 'search-results', 'completed', now(), ${sql.json({ summary: { directory } })}) RETURNING id`;
    const operator = (await visitors['operator']!.get(`/runs/${run!.id}`)).text;
    assert.match(operator, /2 failed items[^]*FL\/A_01\.png[^]*IMAGE_MISSING/);
    assert.match(operator, /Download rejects/);
    const viewer = (await visitors['viewer']!.get(`/runs/${run!.id}`)).text;
    assert.ok(viewer.includes('2 failed items') && !viewer.includes('A_01.png'));
  });

  it('counts and lists posted batches by their answers, found by correlation id, and the files that were pushed', async () => {
    const { sql, client } = dashboard.place;
    const staging = async (tenant: string, correlation: string) => {
      const [row] = await sql<{ id: string }[]>`SELECT (public.fn_projects_import_merge(${tenant}, 'test', 'day-1',
        ${sql.json([{ stage_application: 'A1', deployment_specialist: 'nobody' }])}, ${correlation})).staging_id AS id`;
      return row!.id;
    };
    const [first, again, foreign] = ['1', '2', '3'].map((n) => `${n.repeat(8)}-0000-4000-8000-000000000000`) as [
      string,
      string,
      string,
    ];
    const mine = await staging('TELCO', first);
    const theirs = await staging('OTHER', foreign);
    await sql`SELECT ingest.note_answer('TELCO', 'day-1', ${first}, ${mine}, 'merged'), ingest.note_answer('TELCO', 'day-2', ${again}, ${mine}, 'replayed'),
      ingest.note_answer('OTHER', 'day-1', ${foreign}, ${theirs}, 'merged')`;
    const of = async (who: string, path: string) => (await visitors[who]!.get(path)).text.replace(/\s+/g, ' ');
    assert.match(await of('viewer', '/'), /Batches posted<\/a><\/dt> <dd><b>3<\/b><small>3 project rows/);
    assert.match(await of('viewerT', '/'), /Batches posted<\/a><\/dt> <dd><b>2<\/b>/);
    const all = await of('viewer', '/batches');
    for (const correlation of [first, again, foreign]) assert.ok(all.includes(correlation), correlation);
    assert.match(all, /day-2<\/th>.*Unchanged/);
    assert.ok(!(await of('viewerT', '/batches')).includes(foreign));
    for (const find of [again, again.toUpperCase(), 'AY-2']) {
      const found = await of('operator', `/batches?find=${find}`);
      assert.ok(found.includes(again) && !found.includes(first), find);
    }
    // The anomaly has the id of the merge; an unchanged batch that came later has another and leads to the same.
    for (const find of [first, again, 'A1']) {
      const found = await of('operatorT', `/anomalies?find=${find}`);
      assert.match(found, /Unknown DS<\/b> <q>nobody<\/q>/, find);
      assert.ok(found.includes(first) && !found.includes('a value of TELCO'), find);
    }
    const { taskQueue } = dashboard.place.config;
    const pushed = { 'push/TELCO': 'daily.csv', "push/O'Neil": 'theirs.csv', 'push/ELSE': 'of-another-deployment.csv' };
    for (const [workflowId, filename] of Object.entries(pushed))
      await client.workflow.start('pushProjects', {
        workflowId,
        taskQueue: filename.startsWith('of-another') ? 'nobody-serves' : taskQueue,
        startDelay: '1 hour', // nobody begins it
        args: [{}],
        memo: { filename },
      });
    const query = "WorkflowType = 'pushProjects' AND TaskQueue = 'nobody-serves' AND ExecutionStatus = 'Running'";
    while ((await client.workflow.count(query)).count === 0) await sleep(100);
    let pushes = '';
    while (!pushes.includes('theirs.csv') || !pushes.includes('daily.csv')) pushes = await of('operator', '/batches');
    assert.doesNotMatch(pushes, /of-another-deployment/);
    const own = await of('viewerT', '/batches');
    assert.match(own, /daily\.csv<\/a> <\/th>.*Running/);
    assert.doesNotMatch(own, /theirs\.csv/);
    for (const workflowId of Object.keys(pushed)) await client.workflow.getHandle(workflowId).terminate();
  });

  it('leads everybody else to the sign-in and back to the page they wanted', async () => {
    for (const path of [
      '/',
      '/runs',
      `/runs/${plaintiffs}`,
      '/anomalies',
      '/batches',
      '/schedules',
      `/runs/${plaintiffs}/rejects`,
    ]) {
      const { status, headers } = await visitorWith('').get(path);
      assert.equal(status, 303, path);
      assert.ok(headers.get('location')?.startsWith('/sign-in'), path);
    }
    assert.equal(
      (await visitorWith('').get('/runs?kind=jbi')).headers.get('location'),
      '/sign-in?next=%2Fruns%3Fkind%3Djbi',
    );
    assert.equal((await visitorWith('intake_session=a.b.c~d').get('/')).status, 303);
    assert.equal((await visitorWith('').get('/live', { accept: 'text/event-stream' })).status, 401);
  });

  it('keeps the tokens where no script and no other site gets at them, and drops them when somebody leaves', async () => {
    const entered = await signIn(await dashboard.person('viewer'));
    assert.deepEqual([entered.status, entered.headers.get('location')], [303, '/runs']);
    assert.match(entered.headers.getSetCookie()[0]!, /HttpOnly; SameSite=Strict$/);
    const secure = await visitorWith('').post(
      '/sign-in',
      { email: await dashboard.person('viewer'), password: PASSWORD },
      { 'x-forwarded-proto': 'https' },
    );
    assert.match(secure.headers.getSetCookie()[0]!, /^__Host-intake_session=.*Secure/);
    const own = { 'x-forwarded-proto': 'https' };
    const entrance = cookieOf(secure);
    assert.equal((await visitorWith(entrance).get('/runs', own)).status, 200);
    assert.equal((await visitorWith(entrance.replace('__Host-', '')).get('/runs', own)).status, 303);
    const left = await visitorWith(cookieOf(entered)).post('/sign-out');
    assert.match(left.headers.getSetCookie()[0]!, /^intake_session=; Max-Age=0/);
  });

  it('refuses a wrong password without saying what is wrong, and leads to no other site', async () => {
    const email = await dashboard.person('viewer');
    for (const [who, password] of [
      [email, 'wrong password'],
      ['nobody@example.com', PASSWORD],
      ['', ''],
    ] as const) {
      const { status, text, headers } = await signIn(who, password);
      assert.equal(status, 401);
      assert.match(text, /do not belong together/);
      assert.equal(headers.getSetCookie().length, 0);
    }
    for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', '']) {
      assert.equal(
        (await visitorWith('').post('/sign-in', { email, password: PASSWORD, next })).headers.get('location'),
        '/',
      );
    }
  });

  it('lets nobody guess the password of an address for long, and others in meanwhile', async () => {
    const [email, other] = [await dashboard.person('viewer'), await dashboard.person('viewer')];
    const statuses = (
      await Promise.all(
        Array.from({ length: 12 }, (_, i) => signIn(i % 2 ? email : ` ${email.toUpperCase()}`, 'a guess')),
      )
    ).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [...Array<number>(10).fill(401), 429, 429]);
    const refused = await signIn(email, PASSWORD);
    assert.deepEqual(
      [refused.status, Number(refused.headers.get('retry-after')) > 20, /Too many attempts/.test(refused.text)],
      [429, true, true],
    );
    assert.equal((await signIn(other, PASSWORD)).status, 303);
  });

  it('renews an access token that is about to end, once for all requests that come at the same time', async () => {
    const cookie = cookieOf(await signIn(await dashboard.person('viewer')));
    const [access = '', refresh = ''] = decodeURIComponent(cookie.slice('intake_session='.length)).split('~');
    const [head, , signature] = access.split('.');
    const ended = `${head}.${Buffer.from(JSON.stringify({ exp: 1 })).toString('base64url')}.${signature}`;
    const answers = await Promise.all(
      [1, 2, 3].map(() => visitorWith(`intake_session=${encodeURIComponent(`${ended}~${refresh}`)}`).get('/runs')),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(new Set(answers.map(cookieOf)).size, 1);
    assert.equal((await visitorWith(cookieOf(answers[0]!)).get('/runs')).status, 200);
    assert.equal(
      (await visitorWith(`intake_session=${encodeURIComponent(`${ended}~not-one`)}`).get('/runs')).status,
      303,
    );
  });

  it('says "Access denied" to somebody without a role, on every page', async () => {
    for (const path of [
      '/',
      '/runs',
      `/runs/${plaintiffs}`,
      '/anomalies',
      '/schedules',
      `/runs/${plaintiffs}/rejects`,
    ]) {
      const { status, text } = await visitors['nobody']!.get(path);
      assert.deepEqual([path, status, /Access denied/.test(text)], [path, 403, true]);
    }
  });

  it('shows each role what is theirs: all tenants, or the projects of one', async () => {
    const seen = async (name: string): Promise<string[]> => {
      const { text } = await visitors[name]!.get('/runs');
      return ['people.csv', 'TELCO.csv', 'OTHER.csv'].filter((file) => text.includes(file));
    };
    assert.deepEqual(
      [await seen('operator'), await seen('viewer')],
      [
        ['people.csv', 'TELCO.csv', 'OTHER.csv'],
        ['people.csv', 'TELCO.csv', 'OTHER.csv'],
      ],
    );
    assert.deepEqual([await seen('operatorT'), await seen('viewerT')], [['TELCO.csv'], ['TELCO.csv']]);
    for (const name of ['operatorT', 'viewerT']) {
      assert.deepEqual(
        await Promise.all(
          [telco, other, plaintiffs].map(async (id) => (await visitors[name]!.get(`/runs/${id}`)).status),
        ),
        [200, 404, 404],
      );
      assert.doesNotMatch((await visitors[name]!.get('/')).text, /people\.csv|OTHER/);
    }
  });

  it('shows anomalies to operators alone, those of their tenants', async () => {
    const values = async (name: string): Promise<string[]> =>
      (await visitors[name]!.get('/anomalies')).text.match(/a value of \w+/g) ?? [];
    assert.deepEqual(
      [(await values('operator')).sort(), await values('operatorT')],
      [['a value of OTHER', 'a value of TELCO'], ['a value of TELCO']],
    );
    for (const name of ['viewer', 'viewerT']) assert.equal((await visitors[name]!.get('/anomalies')).status, 403);
    assert.doesNotMatch((await visitors['viewer']!.get('/')).text, /Anomalies/);
    assert.deepEqual(
      (await visitors['operator']!.get('/anomalies?severity=error&tenant=OTHER')).text.match(/a value of \w+/g),
      ['a value of OTHER'],
    );
    assert.equal((await visitors['operator']!.get('/anomalies?type=NONE')).text.match(/a value of/g), null);
  });

  it('shows all anomalies in pages, the worst first, each with a link to the next while there is one', async () => {
    await dashboard.place.sql`
      INSERT INTO public.import_anomalies (tenant_id, batch_id, anomaly_type, input_value)
      SELECT 'PAGED', 'b', CASE WHEN i > 150 THEN 'UNREADABLE_VALUE' ELSE 'DUPLICATE_ROW' END, 'paged ' || i FROM generate_series(1, 200) i`;
    try {
      const seen: string[][] = [];
      for (let path: string | undefined = '/anomalies?tenant=PAGED'; path;) {
        const { text } = await visitors['operator']!.get(path);
        seen.push(text.match(/paged \d+/g) ?? []);
        assert.match(text, /200 anomalies, the worst first/);
        path = /<a href="([^"]+)" rel="next">/.exec(text)?.[1]?.replaceAll('&amp;', '&');
      }
      assert.deepEqual(
        seen.map(({ length }) => length),
        [100, 100],
      );
      assert.equal(new Set(seen.flat()).size, 200);
      assert.ok(seen[0]!.slice(0, 50).every((value) => Number(value.slice(6)) > 150));
      const { text } = await visitors['operator']!.get('/anomalies?tenant=PAGED&type=UNREADABLE_VALUE');
      assert.equal(text.match(/paged \d+/g)?.length, 50);
    } finally {
      await dashboard.place.sql`DELETE FROM public.import_anomalies WHERE tenant_id = 'PAGED'`;
    }
  });

  it('leaves /anomalies to the API for whoever asks for no page', async () => {
    assert.equal((await send('/anomalies', { headers: { accept: 'application/json' } })).status, 401);
    assert.equal(
      (await send('/anomalies', { headers: { accept: 'text/html', authorization: 'Bearer x' } })).headers.get(
        'content-type',
      ),
      'application/json',
    );
  });

  it('refuses what a viewer, another tenant or another site posts, and does nothing', async () => {
    const { sql } = dashboard.place;
    const paths = ['cancel', 'resume', 'rollback'].map((action) => `/runs/${plaintiffs}/${action}`);
    for (const path of paths) {
      assert.equal((await visitors['viewer']!.post(path, { reason: 'x' })).status, 403, path);
      assert.equal((await visitors['operatorT']!.post(path, { reason: 'x' })).status, 404, path);
      assert.equal(
        (await visitors['operator']!.post(path, { reason: 'x' }, { origin: 'https://evil.example' })).status,
        403,
        path,
      );
      assert.equal((await visitors['operator']!.post(path, { reason: 'x' }, { origin: '' })).status, 403, path);
      assert.equal(
        (await visitors['operator']!.post(path, { reason: 'x' }, { 'sec-fetch-site': 'cross-site' })).status,
        403,
        path,
      );
    }
    assert.equal((await visitors['viewerT']!.post(`/runs/${telco}/rollback`, { reason: 'x' })).status, 403);
    assert.equal((await visitors['viewer']!.get(`/runs/${plaintiffs}/rejects`)).status, 403);
    assert.equal((await sql`SELECT FROM ingest.run_actions`).length, 0);
    assert.equal((await sql`SELECT FROM ingest.import_runs WHERE status NOT IN ('completed', 'duplicate')`).length, 0);
  });

  it('gives an operator the rejects byte for byte, and writes down that they had them', async () => {
    const { place, gateway } = dashboard;
    const { Readable } = await import('node:stream');
    const { buffer } = await import('node:stream/consumers');
    const { findRun } = await import('../../../src/runs/findRun.ts');
    const { rejectLines } = await import('../../../src/runs/rejectFile.ts');
    const { openBackends } = await import('../../../src/database/backends/open.ts');
    const backends = await openBackends(place.config);
    const connections = { temporal: async () => place.client, backend: async () => backends.get('postgres') };
    const expected = await buffer(
      Readable.from(await rejectLines(connections, await findRun(connections, plaintiffs))),
    );
    await backends.close();
    const email = await dashboard.person('operator');
    const response = await fetch(`${gateway.url}/runs/${plaintiffs}/rejects`, {
      headers: { cookie: cookieOf(await signIn(email)) },
    });
    assert.equal(
      response.headers.get('content-disposition'),
      `attachment; filename="rejects-${plaintiffs.slice(0, 8)}.csv"`,
    );
    assert.ok(expected.length > 500 && expected.equals(Buffer.from(await response.arrayBuffer())));
    const [action] =
      await place.sql`SELECT a.action, u.email FROM ingest.run_actions a JOIN auth.users u ON u.id = a.user_id`;
    assert.deepEqual({ ...action }, { action: 'rejects', email });
  });

  it('says what is wrong with an action that is not possible', async () => {
    const { status, text } = await visitors['operator']!.post(`/runs/${plaintiffs}/resume`);
    assert.equal(status, 409);
    assert.match(text, /is completed\..*<code>USAGE<\/code>/s);
    assert.equal((await visitors['operator']!.post(`/runs/${plaintiffs}/rollback`, { reason: ' ' })).status, 409);
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', `${plaintiffs}x`]) {
      assert.equal((await visitors['operator']!.get(`/runs/${id}`)).status, 404);
      assert.equal((await visitors['operator']!.post(`/runs/${id}/cancel`)).status, 404);
    }
  });

  it('forbids inline scripts and styles, framing and caching; lets browsers keep what never changes', async () => {
    const { headers, text } = await visitors['operator']!.get(`/runs/${plaintiffs}`);
    assert.match(
      headers.get('content-security-policy')!,
      /default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'/,
    );
    assert.doesNotMatch(text, / style=|<style|<script>| on\w+=/);
    assert.equal(headers.get('cache-control'), 'no-store');
    for (const [, path] of text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      const asset = await send(path!, {});
      assert.deepEqual(
        [asset.status, asset.headers.get('cache-control')],
        [200, 'public, max-age=31536000, immutable'],
      );
    }
    // Node's fetch unpacks and leaves the header as it was.
    const { headers: sent } = await send(/\/assets\/dashboard-\w+\.css/.exec(text)![0], {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.deepEqual([sent.get('content-encoding'), sent.get('vary')], ['gzip', 'Accept-Encoding']);
    assert.equal((await send('/assets/dashboard-000000000000.css', {})).status, 404);
  });

  it('pages by key: every run once, filtered as asked', async () => {
    const { sql } = dashboard.place;
    await sql`INSERT INTO ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, created_at)
      SELECT 'paged', 'b' || i, 'h', 'page-' || i || '.csv', CASE WHEN i % 2 = 0 THEN 'jbi' ELSE 'plaintiff' END, 'completed', now() - interval '1 day' FROM generate_series(1, 60) i`;
    const found: string[] = [];
    for (let path: string | undefined = '/runs?source=paged'; path;) {
      const { text } = await visitors['operator']!.get(path);
      found.push(...(text.match(/page-\d+\.csv/g) ?? []));
      path = /href="([^"]+)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    }
    assert.deepEqual([found.length, new Set(found).size], [60, 60]);
    const names = async (query: string): Promise<number> =>
      new Set((await visitors['operator']!.get(`/runs?source=paged&${query}`)).text.match(/page-\d+\.csv/g) ?? []).size;
    assert.deepEqual([await names('kind=jbi'), await names('status=failed')], [25, 0]);
    assert.match(
      (await visitors['operator']!.get('/runs?source=paged&kind=plaintiffs')).text,
      /page-1\.csv|page-\d*[13579]\.csv/,
    );
    await sql`DELETE FROM ingest.import_runs WHERE source_system = 'paged'`;
  });

  it('says "Not found" on a page to a browser that asks for what does not exist', async () => {
    const response = await fetch(`${dashboard.gateway.url}/run`, { headers: { accept: 'text/html' } });
    assert.deepEqual([response.status, response.headers.get('content-type')], [404, 'text/html; charset=utf-8']);
    assert.match(await response.text(), /Not found[\s\S]*There is no such page/);
    assert.equal((await fetch(`${dashboard.gateway.url}/run`)).headers.get('content-type'), 'application/json');
  });

  it('opens six live streams of a person and no more, and says no before it starts one for a forged token', async () => {
    const cookie = cookieOf(await signIn(await dashboard.person('viewer')));
    const other = cookieOf(await signIn(await dashboard.person('viewer')));
    const ended = new AbortController();
    const open = (who: string, path = '/live'): Promise<Response> =>
      fetch(`${dashboard.gateway.url}${path}`, {
        headers: { cookie: who, accept: 'text/event-stream' },
        signal: ended.signal,
      });
    const statuses = (await Promise.all(Array.from({ length: 40 }, () => open(cookie)))).map(({ status }) => status);
    assert.deepEqual(
      [200, 429].map((wanted) => statuses.filter((status) => status === wanted).length),
      [6, 34],
    );
    assert.equal((await open(other)).status, 200);
    const claims = { sub: 'somebody', exp: 9_999_999_999 };
    const forged = `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
    assert.equal((await open(`intake_session=${forged}~refresh`)).status, 401);
    assert.equal((await open(cookieOf(await signIn(await dashboard.person())))).status, 403);
    ended.abort();
    for (;;) {
      const again = await fetch(`${dashboard.gateway.url}/live`, { headers: { cookie, accept: 'text/event-stream' } });
      await again.body?.cancel();
      if (again.status === 200) break;
    }
  });

  it('answers odd parameters as faults of who asks: NUL in any of them, times that are none', async () => {
    const operator = visitors['operator']!;
    const id = '00000000-0000-0000-0000-000000000000';
    for (const path of [
      '/runs?source=%00',
      '/runs?status=a%00',
      '/anomalies?tenant=%00',
      '/anomalies?severity=%00',
      '/%00?x=%00',
    ])
      assert.ok([404, 422].includes((await operator.get(path)).status), path);
    for (const at of ['Jan%201', '1', '2026-01-01T00:00:00Z'])
      assert.equal((await operator.get(`/runs?at=${at}&id=${id}`)).status, 200, at);
    assert.equal((await signIn('a\0b@example.com', PASSWORD)).status, 401);
    assert.equal((await operator.get(`/runs/${id}/live`, { accept: 'text/event-stream' })).status, 404);
  });

  it('takes no copy of a cookie after its owner signed out', async () => {
    const cookie = cookieOf(await signIn(await dashboard.person('viewer')));
    assert.equal((await visitorWith(cookie).get('/runs')).status, 200);
    await visitorWith(cookie).post('/sign-out');
    assert.equal((await visitorWith(cookie).get('/runs')).status, 303);
  });

  it('ends its live streams when the gateway stops', async () => {
    const { startGateway } = await import('../../../src/gateway/server.ts');
    const { loadConfig } = await import('../../../src/config.ts');
    const { createLogger } = await import('../../../src/observability/log.ts');
    const { place, api } = dashboard;
    const another = await startGateway(
      loadConfig({
        ...place.env,
        INTAKE_PORT: '0',
        SUPABASE_URL: api.url,
        SUPABASE_SERVICE_ROLE_KEY: api.serviceRoleKey,
        SUPABASE_ANON_KEY: api.anonKey,
      }),
      createLogger('fatal'),
    );
    const response = await fetch(`${another.url}/live`, {
      headers: { cookie: cookieOf(await signIn(await dashboard.person('viewer'))), accept: 'text/event-stream' },
    });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const text = response.text();
    await another.shutdown();
    assert.match(await text, /event: hello[\s\S]*event: piece/);
  });

  it('without Supabase says what to configure', async () => {
    const { startGateway } = await import('../../../src/gateway/server.ts');
    const { loadConfig } = await import('../../../src/config.ts');
    const { createLogger } = await import('../../../src/observability/log.ts');
    const bare = await startGateway(loadConfig({ ...dashboard.place.env, INTAKE_PORT: '0' }), createLogger('fatal'));
    const response = await fetch(`${bare.url}/`, { headers: { accept: 'text/html' } });
    assert.equal(response.status, 503);
    assert.match(await response.text(), /SUPABASE_ANON_KEY/);
    await bare.shutdown();
  });
});
