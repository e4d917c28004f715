/** Makes docs/images/*.png: the dashboard over a stack with the samples and a month of invented runs. `node scripts/screenshots.ts` */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import postgres from 'postgres';
import { ensureStack, stopStack } from '../src/local/stack.ts';
import { findChromium, launchChromium } from '../test/browser/chromium.ts';
import { ANY_PORTS, makeStackFolder } from '../test/support/stack.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const images = join(root, 'docs/images');
const EMAIL = 'ada@example.com';
const DESK = { width: 1280, height: 860 };

const executable = findChromium();
if (!executable) throw new Error('No Chromium: set INTAKE_CHROMIUM');
const dir = await makeStackFolder();
const files = await mkdtemp(join(tmpdir(), 'intake-screenshots-'));
const intake = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> =>
  (
    await promisify(execFile)(process.execPath, [join(root, 'bin/intake.mjs'), ...args], {
      env: { ...process.env, INTAKE_DIR: dir, ...env },
    })
  ).stdout.trim();

try {
  const stack = await ensureStack({ dir, ports: ANY_PORTS });
  await fillStack(stack.databaseUrl);
  const password = await intake(['users', 'add', EMAIL, '--role', 'operator', '--quiet']);
  await mkdir(images, { recursive: true });
  const browser = await launchChromium(executable);
  for (const look of ['light', 'dark'] as const) {
    const page = await signedIn(browser, stack.gateway!, password, { colorScheme: look, viewport: DESK });
    await shoot(page, '/', `overview-${look}`);
    await shoot(page, '/anomalies', `anomalies-${look}`);
    await shoot(page, '/schedules', `schedules-${look}`);
    await page.goto('/runs?kind=simplicity');
    await page.getByRole('link', { name: 'simplicity.csv' }).click();
    await shoot(page, undefined, `run-${look}`);
    if (look === 'light') {
      await page.getByRole('button', { name: 'Roll back' }).click();
      await shoot(page, undefined, 'rollback-light');
    }
    await page.context().close();
  }
  const phone = await signedIn(browser, stack.gateway!, password, {
    colorScheme: 'light',
    viewport: { width: 390, height: 844 },
  });
  await shoot(phone, '/', 'phone-light');
  await browser.close();
} finally {
  await stopStack(dir);
  for (const path of [dir, files]) await rm(path, { recursive: true, force: true });
}

/** The samples, imported; days before them, invented; schedules; and an import that goes on while pictures are taken. */
async function fillStack(databaseUrl: string): Promise<void> {
  for (const kind of ['plaintiffs', 'simplicity', 'jbi'])
    await intake(['import', kind, join(root, `samples/${kind}.csv`), '--commit', '--quiet']);
  await intake(['import', 'projects', join(root, 'samples/projects.csv'), '--tenant', 'TELCO', '--commit', '--quiet']);
  await intake([
    'import',
    'search-results',
    '--states-dir',
    join(root, 'samples/search-results'),
    '--tag',
    'November',
    '--commit',
    '--quiet',
  ]);
  await intake([
    'schedule',
    'add',
    'projects',
    '--tenant',
    'TELCO',
    '--from',
    '/srv/telco',
    '--timezone',
    'Australia/Adelaide',
    '--quiet',
  ]);
  await intake(['schedule', 'add', 'retention', '--quiet']);
  await intake(['schedule', 'add', 'alerts', '--quiet']);
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  await sql`
    INSERT INTO ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, rows_fetched, rows_inserted, rows_updated,
      rows_skipped, rows_errored, created_at, claimed_at, completed_at, updated_at)
    SELECT source, 'day-' || d, md5(kind || d), kind || '-' || to_char(at, 'MM-DD') || '.csv', kind, 'completed', n, n * 8 / 10, n / 10, n / 20, n / 20,
      at, at, at + make_interval(secs => n / 900.0), at + make_interval(secs => n / 900.0)
    FROM generate_series(1, 29) d, (VALUES ('plaintiffs', 'csv', 9000), ('simplicity', 'simplicity', 5200), ('jbi', 'jbi', 3100), ('projects', 'TELCO', 2100),
      ('search-results', 'search-results', 900)) k (kind, source, size),
    LATERAL (SELECT now() - make_interval(days => d, hours => 2 + size % 5) AS at) t,
    LATERAL (SELECT (size * (0.45 + abs(sin(d * size)) * 0.8) * CASE WHEN extract(dow FROM at) IN (0, 6) THEN 0.15 ELSE 1 END)::int AS n) x
    WHERE (d * size / 100) % 7 <> 3`;
  await sql.end();
  const rows = Array.from({ length: 150_000 }, (_, i) => `Example Holdings ${i},office${i}@holdings.example.com`);
  const large = join(files, 'november-list.csv');
  await writeFile(large, `plaintiff_name,email\n${rows.join('\n')}\n`);
  await intake(['import', 'plaintiffs', large, '--commit', '--detach', '--quiet'], {
    INTAKE_CHUNK_BYTES: '16384',
    INTAKE_WINDOW: '1',
  });
}

async function signedIn(
  browser: Browser,
  baseURL: string,
  password: string,
  look: BrowserContextOptions,
): Promise<Page> {
  const page = await (
    await browser.newContext({ baseURL, locale: 'en-GB', timezoneId: 'Europe/London', ...look })
  ).newPage();
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
}

/** @param path where to go first; undefined: as it is. */
async function shoot(page: Page, path: string | undefined, name: string): Promise<void> {
  if (path) await page.goto(path);
  await page.waitForTimeout(500); // fonts, and the first live piece
  await page.screenshot({ path: join(images, `${name}.png`), animations: 'disabled' });
}
