import { strict as assert } from 'node:assert';
import { renderProgress, type ProgressView } from '../../../src/cli/display/progressBox.ts';
import { printable } from '../../../src/observability/printable.ts';
import { startCli, type Cli, type Ended } from '../cli.ts';

/** A title, a cleared screen, a colour, C1's own CSI, a reversed text, a line of one's own; `evil` tells that it was shown. */
const EVIL =
  'evil\u001b]0;TITLE\u0007\u001b[2J\u001b[31m\u009b31m\u202etxt\u2066\u2028\r\nFAKE: Import COMPLETED\u0085';
/** Whatever of it a terminal would obey. Line ends are looked at by themselves: those of an output begin no fake line. */
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|^FAKE/mu;

describe('what others named, on a terminal', function () {
  this.timeout(180_000);
  let cli: Cli;
  let run: string;

  before(async () => {
    cli = await startCli();
    const file = await cli.file(
      `${EVIL.replaceAll('/', '')}.csv`,
      `plaintiff_name,${EVIL.replace('\r\n', ' ')},email\n${EVIL.replace('\r\n', ' ')},x,nobody\nGood One,y,good@example.com\n`,
    );
    const imported = await cli.json(
      'import',
      'plaintiffs',
      file,
      '--batch-name',
      EVIL,
      '--source-system',
      `crm${EVIL}`,
      '--commit',
    );
    run = imported.document.run_id;
    await cli.query('insert into ingest.tenants (tenant_id) values ($1)', [EVIL]);
    await cli.query(
      `insert into public.import_anomalies (tenant_id, batch_id, row_index, anomaly_type, field, input_value, reason, project_key, correlation_id, payload_excerpt)
       values ($1, $1, 1, 'UNKNOWN_DS', $1, $1, $1, $1, gen_random_uuid(), $1)`,
      [EVIL],
    );
    await cli.query(
      `update ingest.import_runs set rollback_reason = $2, error_details = jsonb_build_object('message', $2::text, 'type', $2::text) where id = $1`,
      [run, EVIL],
    );
  });
  after(() => cli.stop());

  const holds = ({ stdout, stderr }: Ended, said: string): void => {
    for (const output of [stdout, stderr]) {
      const found = OBEYED.exec(output);
      assert.equal(
        found,
        null,
        `${said}: ${JSON.stringify(output.slice(Math.max(0, (found?.index ?? 0) - 80), (found?.index ?? 0) + 80))}`,
      );
    }
  };

  it('commands nothing, by whatever command it is shown; what is JSON says the same to a program', async () => {
    const shown = new Set<string>();
    const silent: string[][] = [];
    for (const [words, evil] of [
      [['runs'], true],
      [['runs', 'show', run], true],
      [['runs', 'latest'], true],
      [['runs', 'failed'], false],
      [['runs', 'stats'], false],
      [['reconcile', run], false],
      [['verify', run], false],
      [['rejects', run, '-o', `${EVIL.replaceAll('/', '')}.rejects`], true],
      [['rollback', run, '--dry-run'], false],
      [['queue', 'list'], false],
      [['anomalies', 'list', '--show-values'], true],
      [['anomalies', 'stats'], true],
      [['tenants', 'list'], true],
      [['tenants', 'rotate', `${EVIL}x`], true],
      [['users', 'list'], false],
      [['users', 'add', `${EVIL}@example.com`, '--role', EVIL], true],
      [['schedule', 'list'], false],
      [['schedule', 'show', EVIL], true],
      [['projects', 'push', EVIL, '--tenant', EVIL], true],
      [['retention', 'preview'], false],
      [['schema', EVIL], true],
      [['import', EVIL, EVIL], true],
      [['import', 'plaintiffs', EVIL], false],
      [['import', 'plaintiffs', `${EVIL.replaceAll('/', '')}.csv`, '--batch-name', EVIL], true],
      [['import', 'search-results', '--states-dir', EVIL, '--tag', EVIL], false],
      [['cancel', EVIL], true],
      [['resume', EVIL], true],
      [['runs', 'show', EVIL], true],
      [['smoke', run], false],
      [['doctor'], false],
      [[EVIL], true],
      [['runs', `--${EVIL}`], true],
    ] as const) {
      const args = [...words] as string[];
      const [plain, json] = await Promise.all([cli.run(...args), cli.run(...args, '--json')]);
      holds(plain, args.join(' '));
      if (evil && !/evil/.test(plain.stdout + plain.stderr)) silent.push(args);
      if (/evil\\u001b/.test(plain.stdout + plain.stderr)) shown.add(args[0]!);
      holds(json, `${args.join(' ')} --json`);
    }
    assert.deepEqual(silent, []);
    assert.ok(shown.size > 8, [...shown].join(', '));
    const { document } = await cli.json('runs', 'show', run);
    assert.ok(JSON.stringify(document).includes(JSON.stringify(EVIL).slice(1, -1)), 'programs get the text as it is');
  });

  it('cannot redraw the display of a running import', () => {
    const view = {
      input: { batchName: EVIL, filename: EVIL, kind: 'plaintiffs', mode: 'commit', backend: 'postgres', bytes: 1 },
      report: { phases: {}, counts: { fetched: 1, errored: 1 }, codes: {}, waiting: { queue: EVIL, since: '' } },
      activity: { waiting: { code: 'INTERNAL', message: EVIL } },
      columns: 200,
      style: (_: unknown, text: string) => text,
    } as unknown as ProgressView;
    const lines = renderProgress(view);
    assert.equal(OBEYED.exec(lines.join('\n')), null);
    assert.ok(
      lines.every((line) => !line.includes('\n')) && lines.some((line) => line.includes(String.raw`evil\u001b`)),
    );
  });

  it('is JSON still where it is written out, and the same text', () => {
    for (const value of [EVIL, { [EVIL]: [EVIL] }, '\\u001b', '\t']) {
      const text = printable(JSON.stringify(value, undefined, 2), { lines: true });
      assert.deepEqual([JSON.parse(text), OBEYED.exec(text)], [value, null]);
    }
  });
});
