import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStack } from '../../src/local/stack.ts';
import { openCrashSite, type CrashSite } from '../support/crash.ts';
import { PLAINTIFFS } from '../support/judgmentsFile.ts';

describe('a server killed in the middle of an import', function () {
  this.timeout(90_000);
  let site: CrashSite;
  let expected: unknown;

  before(async () => {
    site = await openCrashSite('postgres', PLAINTIFFS, { own: true });
    await site.start();
    ({ content: expected } = await site.importDisturbed());
  });
  after(() => site?.close());

  /** Waits until the tables hold this many rows of a table, then kills. */
  const killAt = (server: 'postgres' | 'temporal', table: string, rows: number) => async (): Promise<void> => {
    while (Number((await site.place.sql.unsafe(`SELECT count(*) AS n FROM ${table}`))[0]!['n']) < rows) await sleep(5);
    process.kill((await readStack(site.dir))!.pids[server]!, 'SIGKILL');
  };

  for (const [server, moment, table, rows] of [
    ['postgres', 'parse', 'ingest_stage.chunks', 2],
    ['postgres', 'upsert', 'ingest.import_run_steps', 2],
    ['temporal', 'parse', 'ingest_stage.chunks', 2],
    ['temporal', 'upsert', 'ingest.import_run_steps', 2],
  ] as const) {
    it(`${server} at ${moment}: the import ends as an undisturbed one`, async () => {
      const { report, content } = await site.importDisturbed(killAt(server, table, rows));
      assert.equal(report.status, 'completed', JSON.stringify(report.error));
      assert.deepEqual(content, expected);
    });
  }
});
