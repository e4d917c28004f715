/** `npm start`: the stack comes up and the bundled samples are imported, dry run first, then committed. */
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hashSecret, newSecret } from '../../database/secrets.ts';
import { importInput, workflowIdOf } from '../../imports/request.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import { KINDS } from '../../kinds/index.ts';
import type { Counts, ImportReport } from '../../messages/imports.ts';
import { react } from '../interrupt.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { follow } from './import.ts';
import type { Row } from '../../database/rows.ts';
import { importDocument, secondsOf, type ImportFacts } from '../display/importDocument.ts';
import { renderTable } from '../display/table.ts';
import { exitCodeOf, summarize } from '../display/importSummary.ts';
import type { Session } from '../session.ts';
import { addressLines, addressesOf, gatewayAnswers } from './stack.ts';

interface Flags extends CommonOptions {
  readonly exit?: boolean;
  readonly verbose?: boolean;
}

/** Whose sample projects are. */
const TENANT = 'SAMPLE';
const SAMPLES = new URL('../../../samples/', import.meta.url);

export function define(program: Command): void {
  addCommand(program, 'demo', 'Bring up the stack and import the samples', 'npm start -- --exit')
    .option('--exit', 'end after the summary')
    .option('--verbose', 'show each import, dry run and commit')
    .action(run(demoCommand));
}

async function demoCommand(call: Call<Flags>): Promise<number> {
  const { options, out } = call;
  const session = await call.open({ embedded: true, creates: true });
  await (await session.backend()).call('add_tenant', { tenant_id: TENANT, bearer_sha256: hashSecret(newSecret()) });
  const imports: Promise<Imported>[] = [];
  for (const kind of KINDS) {
    if (!existsSync(sampleOf(kind))) continue;
    // What matches its rows with those of others comes after them; the rest need not wait, unless each is shown.
    const earlier = kind.resolves || options.verbose ? Promise.all(imports) : Promise.resolve();
    imports.push(earlier.then(() => importBoth(call, session, kind)));
  }
  const imported = await Promise.all(imports);
  const reports = imported.flatMap(({ documents }) => documents);
  const rows = imported.map(({ row }) => row);
  const before = imported.some(({ known }) => known);
  const worst = Math.max(0, ...imported.map(({ exitCode }) => exitCode));
  out.document({ addresses: session.stack ? addressesOf(session.stack) : null, imports: reports });
  out.detail('');
  for (const line of renderTable(rows, ['kind', 'read', 'new', 'skipped', 'rejected', 'seconds'])) out.detail(line);
  if (before) out.detail('That is fine: what was imported when you first started Intake is skipped as a whole.');
  if (session.stack?.gateway) await gatewayAnswers(session.stack.gateway);
  for (const line of ['', 'Intake is up.', ...(session.stack ? addressLines(session.stack) : [])]) out.detail(line);
  out.detail('');
  out.detail('  Next: intake import plaintiffs YOUR.csv, intake runs, intake doctor');
  out.detail('  To sign in on the dashboard: intake users add you@example.com --role operator');
  if (!options.verbose)
    out.detail('  Each import with its dry run, its rejects and what it read: npm start -- --verbose');
  if (!options.exit && !out.json) await untilInterrupted(out);
  return worst;
}

interface Imported {
  readonly documents: readonly object[];
  readonly row: Row;
  /** Whether it was imported before. */
  readonly known: boolean;
  readonly exitCode: number;
}

/** The sample of a kind, dry and committed. */
async function importBoth(call: Call<Flags>, session: Session, kind: (typeof KINDS)[number]): Promise<Imported> {
  const { options, out } = call;
  const { name, reads, sample, sourceIsTenant } = kind;
  if (!options.verbose) out.note(`Importing the sample of ${name}`);
  const done: { facts: ImportFacts; report: ImportReport }[] = [];
  for (const mode of ['dry-run', 'commit'] as const) {
    if (options.verbose) {
      out.detail('');
      out.detail(
        `intake import ${name} samples/${sample}${reads === 'csv' ? '' : ' --tag sample'}${sourceIsTenant ? ` --tenant ${TENANT}` : ''}${mode === 'commit' ? ' --commit' : ''}`,
      );
    }
    const { facts, report } = await importSample(call, session, {
      kind: name,
      path: sampleOf(kind),
      mode,
      ...(reads === 'csv' ? {} : { directory: { tag: 'sample' } }),
      ...(sourceIsTenant ? { sourceSystem: TENANT } : {}),
    });
    done.push({ facts, report });
    if (!out.json && (options.verbose || exitCodeOf(report) > 0)) summarize(out, facts, report);
  }
  const [dry, committed] = done.map(({ report }) => report) as [ImportReport, ImportReport];
  return {
    documents: done.map(({ facts, report }) => importDocument(facts, report)),
    row: rowOf(name, committed, dry.counts),
    known: committed.status === 'duplicate',
    exitCode: Math.max(exitCodeOf(dry), exitCodeOf(committed)),
  };
}

const sampleOf = ({ sample }: (typeof KINDS)[number]): string => fileURLToPath(new URL(sample, SAMPLES));

/** A line of the table; of a sample that was imported before, what its dry run read. */
function rowOf(kind: string, report: ImportReport, dry: Counts): Row {
  const known = report.status === 'duplicate';
  const { fetched, inserted, updated, skipped, errored } = known ? dry : report.counts;
  return {
    kind,
    read: fetched,
    new: known ? 0 : inserted + updated,
    skipped: known ? fetched - errored : skipped,
    rejected: errored,
    seconds: Number(secondsOf(report).toFixed(1)),
  };
}

async function importSample(
  call: Call<Flags>,
  session: Session,
  request: ImportRequest,
): Promise<{ facts: ImportFacts; report: ImportReport }> {
  const input = await importInput(session.config, request);
  const out = call.options.verbose ? call.out : { ...call.out, quiet: true };
  const report = await follow({ out, options: {} }, session, input);
  return {
    facts: { request, input, workflowId: workflowIdOf(input), target: session.targetOf(input.backend) },
    report,
  };
}

/** The stack is left running: other commands use it. */
function untilInterrupted(out: Call<Flags>['out']): Promise<void> {
  out.detail('  Ctrl-C ends this; the stack stays up until: intake down');
  const alive = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    const stop = () => resolve(clearInterval(alive));
    react(stop);
    process.once('SIGTERM', stop);
  });
}
