/**
 * cli/commands/: One command a file.
 *
 * `intake import`: starts the import of a file, or attaches to it, and shows it to its end.
 */
import { shellWord } from '../../values/text.ts';
import type { WorkflowHandle } from '@temporalio/client';
import type { Command } from 'commander';
import { rm } from 'node:fs/promises';
import { kindNamed } from '../../kinds/index.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import { emptyReport, type AnyInput, type ImportReport } from '../../messages/imports.ts';
import { addCommand, run, type Call } from '../command.ts';
import { errorDocument, knownError } from '../fault.ts';
import type { ImportFacts } from '../display/importDocument.ts';
import { printImport } from '../display/importMetadata.ts';
import { importFlags, type ImportFlags } from '../requests/importFlags.ts';
import { importRequest } from '../requests/importRequest.ts';
import { exitCodeOf, summarize } from '../display/importSummary.ts';
import { onInterrupt } from '../interrupt.ts';
import { refuseOverwrite } from '../requests/outputFile.ts';
import { persistently, withOperations } from '../display/operations.ts';
import { serveFile } from '../serveFile.ts';
import type { Session } from '../session.ts';

export function define(program: Command): void {
  const example = [
    'intake import plaintiffs plaintiffs.csv                     # dry run',
    'intake import plaintiffs plaintiffs.csv --source-system simplicity --commit',
    'intake import plaintiffs list.csv --map "Client=plaintiff_name" --max-errors 5% --commit',
    'intake import search-results --states-dir scrape --tag Aug-04-scrape --commit',
  ].join('\n');
  importFlags(addCommand(program, 'import', 'Import a file or directory; a dry run unless --commit', example)).action(
    run(importCommand, { hearsLoss: true }),
  );
}

async function importCommand(call: Call<ImportFlags>): Promise<number> {
  const { args, options, out } = call;
  const request = withOperations(importRequest(args, options), out.json && !options.detach);
  let facts: ImportFacts = { request };
  let report: ImportReport;
  let session: Session | undefined;
  try {
    try {
      session = await call.open({ creates: true });
      facts = { request, target: session.targetOf(request.backend) };
      report = await Promise.race([importOnce(call, session, request, (known) => (facts = known)), session.lost]);
    } catch (error) {
      if (!out.json) throw error;
      const now = new Date().toISOString();
      report = {
        ...emptyReport(now),
        status: 'failed',
        finishedAt: now,
        error: errorDocument(knownError(error, 'import')),
      };
    }
    await printImport(out, session, facts, report);
  } finally {
    if (request.operationsPath) await rm(request.operationsPath, { force: true });
  }
  return options.detach && report.status === 'running'
    ? 0
    : out.json
      ? exitCodeOf(report)
      : summarize(out, facts, report);
}

/** @param tell receives what is known of the import as it becomes known, so that an error can say it. */
async function importOnce(
  call: Call<ImportFlags>,
  session: Session,
  request: ImportRequest,
  tell: (facts: ImportFacts) => void,
): Promise<ImportReport> {
  const { spellerOf, spelledError } = await import('../../imports/headers.ts');
  const { withTexts } = await import('../display/withTexts.ts');
  const map = request.options?.map;
  const known = { facts: { request } as ImportFacts };
  const note = (facts: ImportFacts): void => tell((known.facts = facts));
  try {
    const { input, report } = await importAsked(call, session, request, note);
    const spelled = await withTexts(session, { input, report, map });
    note({ ...known.facts, input: spelled.input });
    return spelled.report;
  } catch (error) {
    throw spelledError(error, await spellerOf(request, { map }));
  }
}

async function importAsked(
  call: Call<ImportFlags>,
  session: Session,
  request: ImportRequest,
  tell: (facts: ImportFacts) => void,
): Promise<{ input: AnyInput; report: ImportReport }> {
  const { options } = call;
  const { importInput, isDirectory, workflowIdOf } = await import('../../imports/request.ts');
  const { refuseForeignFile } = await import('../requests/foreignFile.ts');
  if (!request.directory) refuseForeignFile(request.path);
  for (const written of [options.rejects, options.differences])
    if (written)
      refuseOverwrite(written, { force: options.force ?? false, source: request.directory ? undefined : request.path });
  const input = await importInput(session.config, request, async (id, name) => {
    const backend = await session.backend(name);
    const [run] = await persistently(() => backend.call('find_run', { id }));
    return run;
  });
  tell({ request, input, workflowId: workflowIdOf(input), target: session.targetOf(input.backend) });
  const report = await follow(call, session, input);
  if (report.status === 'dry_run') await sayUnknownTenant(call, session, input);
  if (options.debugLog && isDirectory(input) && report.runId && !options.detach) {
    const { logDecisions } = await import('../display/decisionLog.ts');
    await logDecisions(await session.backend(input.backend), report.runId, workflowIdOf(input));
  }
  if (!options.detach && options.commit && report.runId && report.status !== 'duplicate')
    await writeFiles(session, options, report.runId);
  return { input, report };
}

/** What a commit leaves for its caller; a dry run writes them itself, before its stage is gone. */
async function writeFiles(session: Session, { rejects, differences }: ImportFlags, runId: string): Promise<void> {
  if (!rejects && !differences) return;
  const { findRun } = await import('../../runs/findRun.ts');
  const run = await findRun(session, runId);
  if (rejects) {
    const { writeRejects } = await import('../../runs/rejectFile.ts');
    await writeRejects(session, run, rejects);
  }
  if (differences) {
    const { writeDifferences } = await import('../../runs/differenceFile.ts');
    await writeDifferences(await session.backend(run.metadata.input?.backend), run.id, differences);
  }
}

/** A commit for a tenant that does not exist is refused: who tries it hears of that now. */
async function sayUnknownTenant(
  { out }: Pick<Call<ImportFlags>, 'out'>,
  session: Session,
  { kind, sourceSystem: tenant, backend: name }: AnyInput,
): Promise<void> {
  if (!kindNamed(kind).sourceIsTenant || session.config.projectsSecret(tenant) !== undefined) return;
  if (await (await session.backend(name)).call('tenant_exists', { tenant_id: tenant })) return;
  out.note(
    `There is no tenant ${tenant}: --commit is refused until it is added: intake tenants add ${shellWord(tenant)}`,
  );
}

/** Starts the import or attaches to it, and waits for its end unless detached; sees that its files are read. */
export async function follow(
  { out, options }: Pick<Call<{ detach?: boolean; debugLog?: boolean }>, 'out' | 'options'>,
  session: Session,
  input: AnyInput,
): Promise<ImportReport> {
  const [{ startOrAttachImport }, { workflowIdOf }] = await Promise.all([
    import('../../imports/start.ts'),
    import('../../imports/request.ts'),
  ]);
  const files = await serveFile({ out, options }, session, input);
  try {
    const [client, backend] = await Promise.all([session.temporal(), session.backend(input.backend)]);
    // Before the workflow starts: from then on the import goes on, whenever Ctrl-C comes.
    const goOn = options.detach
      ? undefined
      : onInterrupt(
          { workflowId: workflowIdOf(input) },
          { what: input.mode === 'verify' ? 'verification' : 'import', servesFiles: files.own },
        );
    const { handle, attached } = await startOrAttachImport(client, input, backend).catch((error: unknown) => {
      goOn?.();
      throw error;
    });
    if (attached) out.note('Attached to the running import');
    if (options.detach) {
      sayDetached(out, handle);
      return emptyReport(new Date().toISOString());
    }
    try {
      const { watchToEnd } = await import('../display/watch.ts');
      const { workerComesUp } = session;
      return await watchToEnd(session, handle, { out, input, debugLog: options.debugLog ?? false, workerComesUp });
    } finally {
      goOn?.();
    }
  } finally {
    await files.stop();
  }
}

function sayDetached(out: Call<object>['out'], { workflowId }: WorkflowHandle): void {
  out.answer(`Started ${workflowId}`);
  out.detail(`  Watch it:  intake runs watch ${shellWord(workflowId)}`);
  out.detail(`  Cancel it: intake cancel ${shellWord(workflowId)}`);
}
