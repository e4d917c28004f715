import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCli, type Cli, type Json } from '../cli.ts';

describe('intake schedule', function () {
  this.timeout(120_000);
  let cli: Cli;
  const show = async (id: string): Promise<Json> => (await cli.json('schedule', 'show', id)).document;
  const ended = async (id: string, runs: number): Promise<Json[]> => {
    for (;;) {
      const view = await show(id);
      if (view.runs.length >= runs && view.runs.every(({ status }: Json) => status !== 'running')) return view.runs;
      await sleep(200);
    }
  };

  before(async () => {
    cli = await startCli();
    await cli.file('p.csv', 'stage_application\nS1\nS2\n');
    await cli.file('clients.csv', 'plaintiff_name\nA\nB\n');
  });
  after(() => cli.stop());

  it('adds the daily push, retention, alerts and imports, each with a readable id and its next time', async () => {
    const { code, stdout } = await cli.run(
      'schedule',
      'add',
      'projects',
      '--tenant',
      'TELCO',
      '--from',
      'p.csv',
      '--timezone',
      'Australia/Adelaide',
    );
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^Schedule projects-TELCO: projects of TELCO from \/.*\/p\.csv, daily at 17:00 Australia\/Adelaide\n {2}Next: \w{3} \d{4}-\d\d-\d\d 17:00 \+(0930|1030), \S+Z\n$/,
    );
    const retention = await cli.json('schedule', 'add', 'retention', '--imports-days', '45');
    assert.deepEqual(
      [
        retention.document.id,
        retention.document.when,
        retention.document.what,
        retention.document.overlap,
        retention.document.catchup_hours,
      ],
      [
        'imports-anomalies-retention',
        'daily at 03:10 UTC',
        'retention: batches 45 days, anomalies 90 days',
        'SKIP',
        12,
      ],
    );
    const alerts = await cli.json('schedule', 'add', 'alerts');
    assert.deepEqual(
      [alerts.document.id, alerts.document.when, alerts.document.overlap],
      ['anomalies-alerts', 'every 1 h', 'ALLOW_ALL'],
    );
    const clients = await cli.json(
      'schedule',
      'add',
      'plaintiffs',
      'clients.csv',
      '--source-system',
      'crm',
      '--at',
      '06:00',
      '--timezone',
      'Europe/Berlin',
    );
    assert.deepEqual([clients.document.id, clients.document.when], ['plaintiffs-crm', 'daily at 06:00 Europe/Berlin']);
  });

  it('lists them with their next times in their zone and in UTC', async () => {
    while ((await cli.json('schedule', 'list')).document.length < 4) await sleep(200); // Temporal's list lags behind
    const { stdout } = await cli.run('schedule');
    assert.match(stdout, /^id +when +state +next +next_utc +last +last_run +what$/m);
    assert.match(
      stdout,
      /^projects-TELCO +daily at 17:00 Australia\/Adelaide +active +\w{3} \S+ 17:00 \+\d{4} +\S+ \S+ +projects of TELCO/m,
    );
  });

  it('triggers one, and says how its runs ended', async () => {
    await cli.query("insert into ingest.tenants (tenant_id) values ('TELCO') on conflict do nothing");
    for (const id of ['projects-TELCO', 'plaintiffs-crm']) {
      assert.equal((await cli.run('schedule', 'trigger', id)).code, 0);
      const [run] = await ended(id, 1);
      assert.equal(run.status, 'completed', id);
      assert.match(run.workflow_id, new RegExp(`^schedule/${id}-\\d{4}-`));
    }
    assert.deepEqual(await cli.query('select tenant_id, count(*)::int as n from public.projects group by 1'), [
      { tenant_id: 'TELCO', n: 2 },
    ]);
    assert.deepEqual(await cli.query("select count(*)::int as n from public.plaintiffs where source_system = 'crm'"), [
      { n: 2 },
    ]);
    assert.match(
      (await cli.run('schedule', 'show', 'projects-TELCO')).stdout,
      /^Runs:\n +scheduled_at +started_at +status +workflow_id +error\n.*\n +\d{4}-.* completed +schedule\/projects-TELCO-/m,
    );
  });

  it('changes times, of the time of day and the zone also one alone', async () => {
    assert.match(
      (await cli.run('schedule', 'set', 'projects-TELCO', '--at', '18:30')).stdout,
      /is changed: daily at 18:30 Australia\/Adelaide\n {2}Next: .* 18:30 \+/,
    );
    assert.equal(
      (await cli.json('schedule', 'set', 'projects-TELCO', '--timezone', 'Australia/Perth')).document.when,
      'daily at 18:30 Australia/Perth',
    );
    assert.equal(
      (await cli.json('schedule', 'set', 'anomalies-alerts', '--every', '2h')).document.what,
      'alerts about anomalies of the last 2 h',
    );
    assert.equal(
      (await cli.json('schedule', 'add', 'retention', '--at', '02:15', '--replace')).document.when,
      'daily at 02:15 UTC',
    );
  });

  it('pauses with a note, resumes, fills back and removes', async () => {
    const paused = await cli.json('schedule', 'pause', 'projects-TELCO', '--note', 'their export is broken');
    assert.deepEqual([paused.document.paused, paused.document.note], [true, 'their export is broken']);
    assert.match((await cli.run('schedule', 'show', 'projects-TELCO')).stdout, /, paused: their export is broken$/m);
    assert.equal((await cli.json('schedule', 'resume', 'projects-TELCO')).document.paused, false);
    assert.equal(
      (await cli.run('schedule', 'backfill', 'projects-TELCO', '--from', '2026-11-01', '--to', '2026-11-03')).code,
      0,
    );
    const runs = await ended('projects-TELCO', 3);
    assert.deepEqual(
      runs.slice(0, 2).map(({ workflow_id }) => workflow_id.slice(-20)),
      ['2026-11-02T10:30:00Z', '2026-11-01T10:30:00Z'],
    );
    assert.deepEqual(await cli.json('schedule', 'remove', 'projects-TELCO'), {
      code: 0,
      document: { id: 'projects-TELCO', action: 'remove' },
    });
    const { code, stderr } = await cli.run('schedule', 'show', 'projects-TELCO');
    assert.deepEqual([code, stderr.split(':')[0]], [2, 'SCHEDULE_NOT_FOUND']);
  });

  it('refuses what it cannot mean, and addresses that would leave secrets in Temporal', async () => {
    const projects = ['add', 'projects', '--tenant', 'A', '--timezone', 'UTC'];
    for (const args of [
      ['add'],
      ['add', 'dinner'],
      ['add', 'retention', '--replace', '--at', '25:00'],
      ['add', 'projects', '--tenant', 'A', '--from', 'p.csv'],
      projects,
      ['add', 'projects', '--tenant', 'A', '--from', 'p.csv', '--timezone', 'Mars/Base'],
      [...projects, '--from', 'https://user:secret@h/p.csv'],
      [...projects, '--from', 'https://h/p.csv?token=secret'],
      [...projects, '--from', 'env:A B'],
      [...projects, '--from', 'p.csv', '--at', '17:00', '--every', '1h'],
      ['add', 'plaintiffs', 'clients.csv'],
      ['add', 'plaintiffs', '--at', '06:00'],
      ['add', 'retention'],
      ['pause'],
      ['set', 'imports-anomalies-retention'],
      ['backfill', 'imports-anomalies-retention', '--from', 'yesterday', '--to', '2026-11-01'],
      ['add', 'alerts', '--at', '06:00'],
      ['forget', 'x'],
    ]) {
      const { code, stderr } = await cli.run('schedule', ...args);
      assert.deepEqual([code, stderr.split(':')[0]], [2, 'USAGE'], args.join(' '));
      assert.doesNotMatch(stderr, /secret@|token=/);
    }
  });
});
