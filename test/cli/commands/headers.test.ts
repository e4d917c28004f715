import { strict as assert } from 'node:assert';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCli, type Cli } from '../cli.ts';

/** A first line that is a row: its words are nobody's headers. */
const NAME = 'Dustin Rivas';
const HEADERS = [NAME, 'dustin@example.com', '+1 555 0100 777'];
const THEIRS = new RegExp(`${NAME}|dustin|0100 777`, 'i');

describe('headers that are personal data', function () {
  this.timeout(180_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
    await cli.query("insert into ingest.tenants (tenant_id) values ('TELCO')");
  });
  after(() => cli.stop());

  const csv = (known: string, row: string): string =>
    `${known},${HEADERS.join(',')}\n${row},Ann Lee,ann@example.com,+1 555 0101\n`;
  const FILES = {
    plaintiffs: csv('external_id', '1'),
    simplicity: csv('LeadID,JudgmentAmount', 'L1,100'),
    jbi: csv('case_number,judgment_amount', 'C1,100'),
    projects: csv('premises_count', '1'),
  };
  const MAP = ['--map', `${NAME}=plaintiff_name`];
  const COLUMN = { projects: 'stage_application', jbi: 'party_name' } as Record<string, string>;
  const column = (kind: string): string => COLUMN[kind] ?? 'plaintiff_name';

  it('are told to who asks, and stand in no history, log, manifest, error or metadata, by whatever way they come', async () => {
    const told: string[] = [];
    const run = async (...args: string[]): Promise<void> => {
      const { stdout, stderr } = await cli.run(...args);
      if (!THEIRS.test(stdout + stderr)) told.push(`${args.join(' ')}: ${stdout}${stderr}`);
    };
    const each = async ([kind, text]: [string, string]): Promise<void> => {
      const file = await cli.file(`${kind}.csv`, text);
      const twice = await cli.file(`${kind}-twice.csv`, `${text.split('\n')[0]},${NAME}\n${text.split('\n')[1]},x\n`);
      const tenant = kind === 'projects' ? ['--tenant', 'TELCO'] : [];
      const map = ['--map', `${NAME}=${column(kind)}`];
      const words = ['import', kind, file, ...tenant];
      await Promise.all([
        run(...words, '--strict-headers', ...map), // UNKNOWN_HEADERS
        run(...words, '--batch-id', '1'), // MISSING_COLUMNS
        run(...words, '--batch-id', '2', '--map', `${NAME}=dustin@example.com`), // UNKNOWN_COLUMN
        run(...words, '--batch-id', '3', '--map', `Dustin Rivaz=${column(kind)}`), // UNKNOWN_COLUMN
        run(...words, '--batch-id', '4', ...map, '--map', `+1 555 0100 777=${column(kind)}`), // DUPLICATE_HEADER
        run('import', kind, twice, ...tenant, ...map), // a dry run, and the commands it prints
      ]);
      const { document } = await cli.json(...words, ...map, '--commit');
      assert.equal(document.status, 'completed', JSON.stringify(document.error));
      assert.deepEqual(
        document.columns.map(({ header }: { header: string }) => header).filter((text: string) => THEIRS.test(text)),
        HEADERS,
      );
      await run('runs', 'show', document.run_id, '--json');
      assert.equal((await cli.run('verify', document.run_id)).code, 0);
    };
    await Promise.all(Object.entries(FILES).map(each));
    assert.equal((await cli.run('import', 'plaintiffs', 'plaintiffs.csv', ...MAP, '--commit', '--debug-log')).code, 0);
    const orphan = await cli.file('orphan.csv', `${NAME},email\nAnn,a@example.com\nBob,\n,c@example.com\n`);
    const { document } = await cli.json('import', 'plaintiffs', orphan, ...MAP, '--commit');
    await run('rejects', document.run_id, '-o', join(cli.folder, 'r.csv')); // prints the import of mended rejects
    const mended = await cli.json('import', 'plaintiffs', 'r.csv', '--commit');
    assert.equal(mended.document.metadata.parent_run_id, document.run_id);

    assert.equal((await cli.run('projects', 'push', 'projects.csv', '--tenant', 'TELCO')).code, 2);
    const json = JSON.stringify([{ stage_application: 'J1' }, { [NAME]: 1, adress: 'x', stage_application: 'J2' }]);
    await cli.file('p.json', json.replace('adress', `adress${' '.repeat(3)}`));
    const pushed = await cli.json('projects', 'push', 'p.json', '--tenant', 'TELCO');
    assert.deepEqual(pushed.document.left_out[0].column, '<field 2>');

    await cli.file('clients.csv', FILES.plaintiffs);
    const added = ['schedule', 'add', 'plaintiffs', 'clients.csv', '--every', '24h', '--id', 'odd'];
    for (const words of [
      [...added, ...MAP, '--source-system', 'scheduled'],
      ['schedule', 'trigger', 'odd'],
    ]) {
      const { code, stderr } = await cli.run(...words);
      assert.equal(code, 0, stderr);
    }
    for (;;) {
      const [row] = await cli.query("select status from ingest.import_runs where source_system = 'scheduled'");
      if (row && row.status !== 'processing') {
        assert.equal(row.status, 'completed');
        break;
      }
      await sleep(200);
    }

    await mkdir(join(cli.folder, 'scrape'));
    const licence = { [NAME]: NAME, license_number: 5 };
    await writeFile(
      join(cli.folder, 'scrape', 'a_parse.json'),
      JSON.stringify({ [NAME]: { [NAME]: 1 }, licenses: [licence], debug_info: { [NAME]: {} } }),
    );
    await cli.run('import', 'search-results', '--states-dir', 'scrape', '--tag', 'odd', '--commit');

    assert.deepEqual(told, [], 'who asks is told');
    const leaks = await search(cli.stack.dir);
    assert.deepEqual(leaks, []);
    const rows = await cli.query(
      `select id, error_details::text as error, metadata::text as metadata from ingest.import_runs
       where error_details::text ~* $1 or metadata::text ~* $1`,
      [THEIRS.source],
    );
    assert.deepEqual(rows, []);
    assert.ok((await cli.query('select from ingest.import_runs where header ? $1', [NAME])).length >= 5);
  });

  /** All that the stack keeps besides the database's files and the stored originals: Temporal's file, logs, what an import left in its work folder. */
  async function search(dir: string): Promise<string[]> {
    const leaks: string[] = [];
    let isRead = false;
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || /\/(?:postgres|objects|storage|cache)\//.test(path.slice(dir.length))) continue;
      const text = await readFile(path, 'latin1');
      isRead ||= text.includes('jbi.csv');
      const found = THEIRS.exec(text);
      if (found) leaks.push(`${path}: ${text.slice(Math.max(0, found.index - 200), found.index + 100)}`);
    }
    assert.ok(isRead, 'the histories can be read');
    return leaks;
  }
});
