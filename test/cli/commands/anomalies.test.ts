import { strict as assert } from 'node:assert';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startCli, type Cli, type Json } from '../cli.ts';

describe('commands of projects and their anomalies', function () {
  this.timeout(120_000);
  let cli: Cli;
  const csv = (rows: number, more = ''): string =>
    `stage_application,delivery_partner,deployment_specialist${more && ',residential'}\n${Array.from({ length: rows }, (_, i) => `S${i},Acme,ds${i}${more && `,${more}`}`).join('\n')}\n`;

  before(async () => {
    cli = await startCli();
    await cli.query("insert into ingest.tenants (tenant_id) values ('TELCO'), ('SLOW'), ('BAD')");
  });
  after(() => cli.stop());

  it('push posts a file to the gateway of the stack, and says what became of it', async () => {
    await cli.file('p.csv', csv(12));
    const { code, stdout, stderr } = await cli.run(
      'projects',
      'push',
      'p.csv',
      '--tenant',
      'TELCO',
      '--batch-size',
      '5',
    );
    assert.deepEqual(
      [code, stdout.split('\n')[0]],
      [
        0,
        'Push COMPLETED: 3 of 3 batches, 12 of 12 rows; 12 inserted, 0 updated, 0 org and 0 user memberships, 24 anomalies',
      ],
      stderr,
    );
    assert.match(stdout, /Correlation id [0-9a-f-]{36}/);
    assert.match(stderr, /1 of 3 batches posted, 5 rows/);
    const { document } = await cli.json('projects', 'push', 'p.csv', '--tenant', 'TELCO', '--batch-size', '5');
    assert.deepEqual(
      [
        document.status,
        document.workflow_id,
        document.rows_posted,
        document.batches_total,
        document.batches_posted,
        document.metrics.anomalies_count,
        document.error,
      ],
      ['completed', 'push/TELCO', 12, 3, 3, 24, null],
    );
    assert.deepEqual(
      document.batches.map(({ rows }: Json) => rows),
      [5, 5, 2],
    );
    assert.match(document.batches[0].batch_id, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}-batch-001$/);
  });

  it('push attaches to itself, refuses another file meanwhile, goes on when it is interrupted, and is cancelled by its workflow id', async () => {
    await cli.file('long.csv', csv(40));
    const started = await cli.json('projects', 'push', 'long.csv', '--tenant', 'SLOW', '--batch-size', '1', '--detach');
    assert.deepEqual(started, {
      code: 0,
      document: {
        workflow_id: 'push/SLOW',
        tenant_id: 'SLOW',
        file_hash: started.document.file_hash,
        status: 'running',
      },
    });
    const other = await cli.run('projects', 'push', 'p.csv', '--tenant', 'SLOW');
    assert.deepEqual([other.code, other.stderr.split('\n').at(-2)!.split(':')[0]], [1, 'IN_PROGRESS']);
    const watching = cli.start(['projects', 'push', 'long.csv', '--tenant', 'SLOW', '--batch-size', '1']);
    await new Promise<void>((seen) => watching.onError((text) => text.includes('batches posted') && seen()));
    watching.interrupt();
    const { code, stderr } = await watching.ended;
    assert.equal(code, 130);
    assert.match(stderr, /Attached to the running push/);
    assert.match(
      stderr,
      /Interrupted: the push goes on\. Watch it: the same command again - stop it: intake cancel push\/SLOW/,
    );
    const cancelled = await cli.json('cancel', 'push/SLOW');
    assert.deepEqual(cancelled, { code: 0, document: { run_id: null, workflow_id: 'push/SLOW', status: 'cancelled' } });
  });

  it('push ends with 2 and the place for a file of which no row can be posted, whose anomalies are noted, and with what a gateway says', async () => {
    await cli.file('bad.csv', csv(3, 'many'));
    const bad = await cli.run('projects', 'push', 'bad.csv', '--tenant', 'BAD');
    const noted = await cli.query(
      "select project_key as k, input_value as v from public.import_anomalies where tenant_id = 'BAD' order by 1",
    );
    assert.deepEqual(
      noted,
      ['S0', 'S1', 'S2'].map((k) => ({ k, v: 'many' })),
    );
    assert.equal(bad.code, 2);
    assert.match(
      bad.stderr,
      /^INVALID_ROW: No row of the file can be posted \(3 rows\); the first, row 1: BAD_COUNT, residential is not a whole number from 0 to 999999999 \(line 2\)\. Mend that row/m,
    );
    const server: Server = createServer(
      (request, response) => void request.resume().on('end', () => response.writeHead(401).end('{}')),
    ).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    // The bearer is lent: the first answer may come from a gateway that has not heard of it.
    const { code, document } = await cli.json(
      'projects',
      'push',
      'p.csv',
      '--tenant',
      'OTHER',
      '--url',
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    server.close();
    assert.deepEqual([code, document.status, document.error.code], [2, 'failed', 'GATEWAY_REFUSED']);
    for (const args of [
      ['push'],
      ['push', 'p.csv'],
      ['push', 'p.csv', '--tenant', 'A', '--batch-size', '5001'],
      ['push', 'p.csv', '--tenant', 'A', '--url', 'http://u:p@h'],
      ['pull'],
      ['backfill', 'p.csv'],
    ]) {
      const wrong = await cli.run('projects', ...args);
      assert.deepEqual([wrong.code, wrong.stderr.split(':')[0]], [2, 'USAGE'], args.join(' '));
    }
  });

  it('anomalies are listed and counted by tenant and severity; what stood in the file only when it is asked for', async () => {
    const { document } = await cli.json('anomalies', 'list', '--tenant', 'TELCO', '--severity', 'error');
    assert.equal(document.length, 12);
    assert.deepEqual(
      new Set(document.map(({ anomaly_type, tenant_id }: Json) => `${tenant_id} ${anomaly_type}`)),
      new Set(['TELCO UNKNOWN_DS']),
    );
    assert.ok(!('input_value' in document[0]));
    assert.match(
      (await cli.json('anomalies', '--tenant', 'TELCO', '--severity', 'error', '--show-values')).document[0]
        .input_value,
      /^ds\d+$/,
    );
    assert.equal((await cli.json('anomalies', 'list', '--limit', '3')).document.length, 3);
    assert.deepEqual(
      (await cli.json('anomalies', 'stats', '--tenant', 'TELCO')).document.map(
        ({ anomaly_type, severity, count }: Json) => [anomaly_type, severity, count],
      ),
      [
        ['UNKNOWN_DELIVERY_PARTNER', 'warning', 12],
        ['UNKNOWN_DS', 'error', 12],
      ],
    );
    assert.match((await cli.run('anomalies', 'list', '--tenant', 'NONE')).stdout, /^No anomalies in 24 hours\.$/m);
    for (const args of [['--severity', 'loud'], ['--window-hours', '0'], ['grow']])
      assert.equal((await cli.run('anomalies', ...args)).code, 2);
  });

  it('alert says the level, the reasons, and that nobody is told without a webhook', async () => {
    const { code, document } = await cli.json('anomalies', 'alert');
    assert.deepEqual([code, document.level, document.outcome], [0, 'escalation', 'no-webhook']);
    assert.ok(document.total >= 24);
    assert.ok(
      document.reasons.some(
        ({ rule, tenant_id, count }: Json) => rule === 'TENANT_MAPPING_ERRORS' && tenant_id === 'TELCO' && count === 12,
      ),
    );
    assert.doesNotMatch(JSON.stringify(document), /Acme|ds1/);
  });

  it('backfill makes the memberships that the directories now know', async () => {
    await cli.query("insert into public.partner_org (name) values ('Acme')");
    await cli.query(
      "insert into public.partner_normalization (source_label, partner_org_id) select 'Acme', id from public.partner_org where name = 'Acme'",
    );
    assert.match((await cli.run('projects', 'backfill')).stdout, /^Backfill made \d\d+ memberships$/m);
    assert.deepEqual(await cli.json('projects', 'backfill'), { code: 0, document: { memberships: 0 } });
  });

  it('retention says beforehand what it deletes, deletes it, and counts it', async () => {
    await cli.query(
      "update public.import_anomalies set created_at = now() - interval '100 days' where tenant_id = 'TELCO'",
    );
    const preview = await cli.json('retention', 'run', '--dry-run');
    assert.deepEqual(
      [
        preview.document.dry_run,
        preview.document.staging_imports,
        preview.document.import_anomalies,
        preview.document.days.length,
      ],
      [true, 0, 12, 1],
    );
    assert.match(
      (await cli.run('retention', 'preview', '--anomalies-days', '101')).stdout,
      /^Would delete 0 batches older than 60 days and 0 anomalies older than 101 days$/m,
    );
    assert.deepEqual(await cli.json('retention', 'run'), {
      code: 0,
      document: { dry_run: false, staging_imports: 0, import_anomalies: 12 },
    });
    assert.deepEqual(
      (await cli.json('retention', 'stats')).document.map(({ import_anomalies_count }: Json) => import_anomalies_count),
      [12],
    );
    assert.equal((await cli.run('retention', 'run', '--imports-days', '0')).code, 2);
  });

  it('retention takes landed rows and originals of old runs where it is told to, and says that they cannot be rolled back', async () => {
    await cli.file('old.csv', 'plaintiff_name,email\nAnn,ann@x.co\nBob,not an address\n');
    const { document } = await cli.json('import', 'plaintiffs', 'old.csv', '--commit');
    await cli.query(
      "update ingest.import_runs set created_at = now() - interval '401 days', completed_at = now() - interval '400 days'",
    );
    const days = ['--runs-days', '500', '--runs-days', 'plaintiffs=365'];
    const { stdout } = await cli.run('retention', 'preview', ...days);
    assert.match(stdout, /^Would delete 2 landed rows of 1 runs of plaintiffs, \d+ ledger rows and 1 originals$/m);
    assert.match(stdout, /cannot be rolled back, compared or corrected afterwards; what is in production stays/);
    const done = await cli.json('retention', 'run', ...days);
    assert.deepEqual(
      [done.document.retired.runs, done.document.retired.landed_rows, done.document.retired.originals],
      [1, 2, 1],
    );
    const rollback = await cli.run('rollback', document.run_id, '--reason', 'too late');
    assert.deepEqual([rollback.code, /deleted by retention/.test(rollback.stderr)], [1, true], rollback.stderr);
    assert.match((await cli.run('rejects', document.run_id)).stderr, /stored no file/);
    assert.match((await cli.run('import', 'plaintiffs', 'old.csv', '--commit')).stdout, /^DUPLICATE BATCH/m);
    assert.equal((await cli.run('retention', 'run', '--runs-days', 'nobody=3')).code, 2);
    const { document: schedule } = await cli.json('schedule', 'add', 'retention', ...days);
    assert.equal(
      schedule.what,
      'retention: batches 60 days, anomalies 90 days, rows of runs 500 days, rows of plaintiffs 365 days',
    );
  });
});
