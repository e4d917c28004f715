import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient as makeClient } from '@supabase/supabase-js';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { plaintiffsCsv } from '../support/imports.ts';
import { describeSkipped } from '../support/skip.ts';
import { findChromium, launchChromium } from './chromium.ts';
import { PASSWORD, openDashboard, type DashboardPlace } from './place.ts';

const executable = findChromium();
const suite = executable
  ? describe
  : describeSkipped('no Chromium: install chromium, or name one with INTAKE_CHROMIUM');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SUPABASE = readFileSync(
  createRequire(import.meta.url).resolve('@supabase/supabase-js/dist/umd/supabase.js'),
  'utf8',
);
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'on a phone': { colorScheme: 'light', viewport: { width: 360, height: 740 } },
};

suite('the dashboard in a browser', function () {
  this.timeout(120_000);
  let dashboard: DashboardPlace;
  let browser: Browser;
  let run: string;
  /** Of an app of the team's own, on other origins than the gateway's. */
  let pages: Server;
  const pageUrl = (host: string): string => `http://${host}:${(pages.address() as AddressInfo).port}`;

  before(async () => {
    pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>a page</title>'));
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    dashboard = await openDashboard({
      INTAKE_ALLOWED_ORIGINS: pageUrl('127.0.0.1'),
      PROJECTS_IMPORT_BEARER: 'TELCO=secret-of-telco',
    });
    browser = await launchChromium(executable!);
    run = await dashboard.imported(plaintiffsCsv(200), 'people.csv');
    await dashboard.place
      .sql`INSERT INTO public.import_anomalies (tenant_id, batch_id, anomaly_type, field, input_value, reason, payload_excerpt)
      SELECT 'TELCO', 'b', type, 'field', '<b>value</b> ' || i, 'nobody has this name', repeat('"x" ', 125) FROM generate_series(1, 60) i,
        unnest(ARRAY['UNKNOWN_DS', 'UNKNOWN_DELIVERY_PARTNER']) type`;
  });
  after(async () => {
    await browser?.close();
    await dashboard?.close();
    pages?.close();
  });

  const open = async (options: BrowserContextOptions = {}): Promise<Page> => {
    const page = await (
      await browser.newContext({ baseURL: dashboard.gateway.url, locale: 'en-GB', timezoneId: 'UTC', ...options })
    ).newPage();
    page.on('pageerror', (error) => assert.fail(error));
    page.on(
      'console',
      (message) =>
        message.type() === 'error' && /Content Security Policy/.test(message.text()) && assert.fail(message.text()),
    );
    return page;
  };
  const signIn = async (page: Page, email: string, password = PASSWORD): Promise<void> => {
    await page.goto('/sign-in');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  const as = async (role: 'operator' | 'viewer', options: BrowserContextOptions = {}): Promise<Page> => {
    const page = await open(options);
    await signIn(page, await dashboard.person(role));
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return page;
  };
  const leave = (page: Page): Promise<void> => page.context().close();
  const heading = (page: Page): Promise<string | null> => page.getByRole('heading', { level: 1 }).textContent();

  it('lets in who has a password and a role, says no to a wrong password, "Access denied" to others', async () => {
    const page = await open();
    const email = await dashboard.person('viewer');
    await signIn(page, email, 'wrong password');
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByLabel('E-mail').inputValue(), email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(page, await dashboard.person());
    assert.equal(await heading(page), 'Access denied');
    await leave(page);
  });

  it('shows a running import live, from the overview to its end', async () => {
    const page = await as('operator');
    await page.getByText('Nothing at the moment').waitFor();
    const id = await dashboard.slow('live');
    await page.locator('.running').getByRole('link', { name: 'live.csv' }).click();
    await page.waitForURL(`**/runs/${id}`);
    const seen = new Set<string | null>();
    for (; seen.size < 3; await sleep(50))
      seen.add(await page.locator('.phases li.running progress').getAttribute('value', { timeout: 20_000 }));
    await page.locator('.badge', { hasText: 'Completed' }).waitFor({ timeout: 60_000 });
    assert.match((await page.locator('.counts').textContent())!, /Rows read\s*12,000/);
    assert.equal(await page.locator('[data-live]').count(), 0);
    await leave(page);
  });

  it('cancels, resumes and rolls back a run, each confirmed, the last with its reason', async () => {
    const page = await as('operator');
    const id = await dashboard.slow('stopped');
    const { sql } = dashboard.place;
    await page.goto(`/runs/${id}`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the import' }).click();
    await page.locator('.badge', { hasText: 'Cancelled' }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.locator('.badge', { hasText: 'Completed' }).waitFor({ timeout: 60_000 });

    await page.getByRole('button', { name: 'Roll back' }).click();
    const dialog = page.getByRole('dialog', { name: 'Roll back this run?' });
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    assert.ok(await dialog.isVisible(), 'a reason is required');
    await dialog.getByLabel('Reason').fill('Vendor sent <test> data');
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await page.locator('.badge', { hasText: 'Rolled back' }).waitFor();
    assert.match(
      (await page.locator('.history').textContent())!,
      /Roll back by you.*Vendor sent <test> data.*Resume by you.*Cancel by you/s,
    );
    const [row] = await sql`SELECT status, rollback_reason FROM ingest.import_runs WHERE id = ${id}`;
    assert.deepEqual({ ...row }, { status: 'rolled_back', rollback_reason: 'Vendor sent <test> data' });
    assert.equal((await sql`SELECT count(*)::int AS n FROM public.plaintiffs WHERE name LIKE 'stopped%'`)[0]!['n'], 0);
    await leave(page);
  });

  it('gives a viewer no button, and refuses the form that they forge', async () => {
    const page = await as('viewer');
    await page.goto(`/runs/${run}`);
    assert.deepEqual(await page.locator('main').getByRole('button').count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Download rejects' }).count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Anomalies' }).count(), 0);
    const status = await page.evaluate(
      async (id) =>
        (await fetch(`/runs/${id}/rollback`, { method: 'POST', body: new URLSearchParams({ reason: 'x' }) })).status,
      run,
    );
    assert.equal(status, 403);
    await leave(page);
  });

  it('shows what a file is called as text, whatever it is called', async () => {
    const page = await as('operator');
    const { sql } = dashboard.place;
    const name = '<script>document.title = "broken"</script><img src=x onerror="document.title=1">.csv';
    const [{ id }] =
      (await sql`INSERT INTO ingest.import_runs (source_system, source_batch_id, file_hash, filename, status, error_details, metadata)
      VALUES ('<i>', '<b>', 'h', ${name}, 'failed', ${sql.json({ type: 'MISSING_COLUMNS', message: '<u>' })}, ${sql.json({ batch_name: '</code>' })}) RETURNING id`) as unknown as [
        { id: string },
      ];
    for (const path of ['/', '/runs', `/runs/${id}`]) {
      await page.goto(path);
      await page.getByText(name).first().waitFor();
      assert.equal(await page.locator('main script, main img, main i:not(.dot), main u').count(), 0);
      assert.doesNotMatch(await page.title(), /^(broken|1)/);
    }
    await page.getByText('Rename the header or map it').waitFor();
    await page.goto('/anomalies?tenant=%22%3E%3Cscript%3E');
    assert.equal(await page.getByLabel('Tenant').inputValue(), '"><script>');
    await leave(page);
    await sql`DELETE FROM ingest.import_runs WHERE id = ${id}`;
  });

  it('says what known rows say otherwise, by field', async () => {
    const id = await dashboard.imported(plaintiffsCsv(12).replaceAll('555-010-1', '555-020-1'), 'moved.csv');
    const page = await as('viewer');
    await page.goto(`/runs/${id}`);
    await page.getByText(/^11 skipped, 11 of them differ \(phone 11,/).waitFor();
    await leave(page);
  });

  it('shows statistics of anomalies and the hundred most recent, and filters them', async () => {
    const page = await as('operator');
    await page.goto('/anomalies');
    assert.equal(await page.locator('.anomalies li').count(), 100);
    assert.match(
      (await page.getByRole('region', { name: 'Anomalies of the last 24 hours' }).textContent())!,
      /Unknown delivery partner.*60/s,
    );
    await page.getByLabel('Severity').selectOption('error');
    await page.getByRole('button', { name: 'Show' }).click();
    assert.equal(await page.locator('.anomalies li').count(), 60);
    const [excerpt] = await page.locator('.anomalies pre').allTextContents();
    assert.equal(excerpt!.length, 500);
    await leave(page);
  });

  it('is used with the keyboard alone: past the navigation, through a dialog and back', async () => {
    const page = await as('operator');
    await page.goto(`/runs/${run}`);
    const focused = (): Promise<string> => page.evaluate("(document.activeElement?.textContent ?? '').trim()");
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the content');
    await page.keyboard.press('Enter');
    const seen: string[] = [];
    while (!seen.includes('Roll back') && seen.length < 20) {
      await page.keyboard.press('Tab');
      seen.push(await focused());
    }
    assert.ok(seen.includes('Download rejects') && !seen.includes('Overview'), seen.join());
    await page.keyboard.press('Enter');
    assert.ok(await page.getByRole('dialog').isVisible());
    assert.equal(await page.evaluate("document.activeElement?.getAttribute('name')"), 'reason');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.equal(await focused(), 'Roll back');
    await leave(page);
  });

  for (const [look, options] of Object.entries(LOOKS)) {
    it(`${look}: axe finds nothing, no page is wider than the screen or heavier than 100 KB`, async () => {
      const page = await as('operator', options);
      const pages = [
        '/',
        '/runs',
        '/runs?source=nobody',
        `/runs/${run}`,
        '/anomalies',
        '/batches',
        '/schedules',
        '/runs/00000000-0000-4000-8000-000000000000',
        '/sign-in',
      ];
      for (const path of [...pages, 'dialog', 'denied']) {
        if (path === 'denied') await signIn(page, await dashboard.person());
        else await page.goto(path === 'dialog' ? `/runs/${run}` : path, { waitUntil: 'load' });
        if (path === 'dialog') await page.getByRole('button', { name: 'Roll back' }).click();
        for (const details of await page.locator('summary').all())
          await details.evaluate((summary) => summary.parentElement!.setAttribute('open', ''));
        await page.evaluate(AXE);
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as {
            axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          };
          return (await axe.run({ resultTypes: ['violations'] })).violations.map(
            ({ id, nodes }) => `${id}: ${nodes[0]!.html}`,
          );
        });
        assert.deepEqual(violations, [], path);
        assert.ok(
          await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
          `${path} is wider than the screen`,
        );
        // As they travel, also those that the browser had already.
        const bytes = (await page.evaluate(
          "['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)",
        )) as number;
        assert.ok(bytes > 5_000 && bytes < 100_000, `${path} has ${bytes} bytes`);
      }
      await leave(page);
    });
  }

  it('lets pages of the allowed origins, and of no others, call its functions with supabase-js', async () => {
    const { api, gateway } = dashboard;
    const email = await dashboard.person('operator');
    const call = async (
      host: string,
      name: string,
      options: object,
    ): Promise<{ status?: number; body?: unknown; error?: string }> => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(pageUrl(host));
      await page.addScriptTag({ content: SUPABASE });
      const said = await page.evaluate(
        async ([url, key, fn, given]) => {
          const { createClient } = (globalThis as unknown as { supabase: { createClient: typeof makeClient } })
            .supabase;
          const { data, error } = await createClient(url, key).functions.invoke(fn, given);
          const { status, headers } = (error as { context?: Response } | null)?.context ?? {};
          return { body: data as unknown, error: error?.name, status, id: headers?.get('x-correlation-id') };
        },
        [gateway.url, api.anonKey, name, options] as const,
      );
      await leave(page);
      return said as never;
    };
    const { data } = await makeClient(api.url, api.anonKey, {
      auth: { persistSession: false },
    }).auth.signInWithPassword({ email, password: PASSWORD });
    const person = { Authorization: `Bearer ${data.session!.access_token}` };
    const tenant = {
      Authorization: 'Bearer secret-of-telco',
      'x-correlation-id': '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad001',
    };
    const batch = { tenant_id: 'TELCO', batch_id: 'from a page', rows: [{ stage_application: 'from a page' }] };
    const posted = await call('127.0.0.1', 'import-projects', { body: batch, headers: tenant });
    assert.deepEqual([posted.error, (posted.body as { tenant_id: string }).tenant_id], [undefined, 'TELCO']);
    const listed = await call('127.0.0.1', 'anomalies?limit=3', { method: 'GET', headers: person });
    assert.equal((listed.body as unknown[]).length, 3);
    // What is refused can be read, too.
    const refused = await call('127.0.0.1', 'import-projects', { body: { ...batch, rows: [] }, headers: tenant });
    assert.deepEqual([refused.status, refused.error], [422, 'FunctionsHttpError']);
    for (const [name, options] of [
      ['import-projects', { body: batch, headers: tenant }],
      ['anomalies', { method: 'GET', headers: person }],
    ] as const)
      assert.equal((await call('localhost', name, options)).error, 'FunctionsFetchError');
    // The dashboard is for its own pages alone.
    const other = await fetch(`${gateway.url}/runs`, { headers: { origin: pageUrl('127.0.0.1') } });
    assert.equal(other.headers.get('access-control-allow-origin'), null);
  });
});
