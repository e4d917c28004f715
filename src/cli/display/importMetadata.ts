/** Runbook 000's part of an import's document: what became of each row, and of the rows together. */
import { access, constants } from 'node:fs/promises';
import { kindNamed } from '../../kinds/index.ts';
import type { ImportReport } from '../../messages/imports.ts';
import { findRun } from '../../runs/findRun.ts';
import { importDocument, type ImportFacts } from './importDocument.ts';
import type { Operation, QueuedJob } from '../../database/rows.ts';
import { fileOperations, persistently, runOperations, type Operations } from './operations.ts';
import type { Output } from '../output.ts';
import type { Session } from '../session.ts';

interface ParseError {
  readonly line: number;
  readonly code: string | null;
  readonly message: string | null;
  readonly raw_import_id: number | string | null;
}

/** Prints the document of an import; its lists of rows come page by page, so that their size is no limit. */
export async function printImport(
  out: Output,
  session: Session | undefined,
  facts: ImportFacts,
  report: ImportReport,
): Promise<void> {
  if (!out.json) return;
  const document = importDocument(facts, report);
  if (!session || !facts.input || !kindNamed(facts.input.kind).operations) return out.document(document);
  await out.stream({
    ...document,
    metadata: { ...document.metadata, ...(await rowMetadata(out, session, facts, report)) },
  });
}

async function rowMetadata(out: Output, session: Session, facts: ImportFacts, report: ImportReport): Promise<object> {
  const operations = await operationsOf(out, session, facts, report);
  const {
    contact_inserts = 0,
    follow_up_tasks = 0,
    enforcement_initializations = 0,
    queued_jobs,
  } = report.effects ?? {};
  const settled = report.status === 'completed' || report.status === 'dry_run';
  return {
    row_operations: operations && operations(),
    raw_import_log: await rawImportLog(session, facts, report),
    contact_inserts,
    follow_up_tasks,
    enforcement_initializations,
    // Each list is a reading of its own, which is spared where the counts say that it is empty.
    queued_jobs: operations && (settled && queued_jobs === 0 ? [] : jobsOf(operations())),
    parse_errors: operations && (settled && report.counts.errored === 0 ? [] : parseErrorsOf(operations())),
  };
}

/** Null where nobody can say it here: the import goes on, or its rows were only staged and are gone. */
async function operationsOf(
  out: Output,
  session: Session,
  { input }: ImportFacts,
  { status, runId }: ImportReport,
): Promise<Operations | null> {
  if (status === 'duplicate' || status === 'in_progress') return async function* () {}; // this import touched no row
  if (runId && status !== 'running') return runOperations(await session.backend(input?.backend), runId);
  if (status !== 'dry_run') return null;
  const path = input?.operationsPath;
  if (path && (await isReadable(path))) return fileOperations(path);
  out.note(
    'The rows of this dry run cannot be shown: they were left to the command that started it, or its worker has another user',
  );
  return null;
}

const isReadable = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

async function* jobsOf(operations: AsyncIterable<Operation>): AsyncGenerator<QueuedJob> {
  for await (const { queued_jobs } of operations) yield* queued_jobs;
}

async function* parseErrorsOf(operations: AsyncIterable<Operation>): AsyncGenerator<ParseError> {
  for await (const { action, line, reason, message, raw_import_id } of operations) {
    if (action === 'failed') yield { line, code: reason, message, raw_import_id };
  }
}

/** What the run stored of it at its end; a run that ended before has logged rows, but counted none. */
async function rawImportLog(
  session: Session,
  { input }: ImportFacts,
  { status, runId }: ImportReport,
): Promise<object> {
  if (!runId || status === 'duplicate' || status === 'in_progress')
    return { enabled: false, table: null, rows_written: 0, failures: [] };
  const { metadata } = await persistently(() => findRun(session, runId, input?.backend));
  return metadata.summary?.raw_import_log ?? { enabled: true, table: null, rows_written: null, failures: [] };
}
