/** `intake verify`: the source file against what the database holds of its run, row by row. */
import type { Command } from 'commander';
import { importInput, isDirectory, workflowIdOf } from '../../imports/request.ts';
import { ERRORS, IntakeError } from '../../errors.ts';
import type { Comparison, ErrorDocument } from '../../messages/imports.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { findRun, inputOf } from '../../runs/findRun.ts';
import { follow } from './import.ts';
import { ownRemedy } from '../display/ownRemedy.ts';
import { withTexts } from '../display/withTexts.ts';
import { thousands } from '../display/importSummary.ts';

export function define(program: Command): void {
  addCommand(
    program,
    'verify',
    'Compare a source file with the database, row by row',
    'intake verify 1f0c9a2e\nintake verify 1f0c9a2e /archive/plaintiffs.csv',
  )
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .argument('[path]', 'the file, where it is not at its former place')
    .action(run(verifyCommand));
}

async function verifyCommand(call: Call<CommonOptions>): Promise<number> {
  const {
    args: [id, path],
    out,
  } = call;
  const session = await call.open();
  const found = await findRun(session, id);
  const former = inputOf(found);
  const { kind, backend, sourceSystem, batchId, batchName, sourceReference } = former;
  const input = await importInput(session.config, {
    kind,
    backend,
    sourceSystem,
    batchId,
    batchName,
    sourceReference,
    path: path ?? former.path,
    mode: 'verify',
    relatedRunId: found.id,
    ...(isDirectory(former) ? { directory: former } : { options: former.options }),
  });
  if (!isDirectory(input) && input.fileHash !== found.file_hash) {
    throw new IntakeError('CHANGED_FILE', `${input.path} is not the file that run ${found.id} imported`, {
      remedy: `Give the original: intake verify ${found.id} PATH.`,
    });
  }
  const { report } = await withTexts(session, { input, report: await follow({ out, options: {} }, session, input) });
  const { comparison, status, error } = report;
  const images = report.phases.compare?.failed ?? 0;
  const failed =
    comparison && comparison.missing + comparison.different + images + Object.keys(comparison.extra ?? {}).length > 0;
  const verdict = failed
    ? { code: 'VERIFY_FAILED', message: verdictOf(comparison, images), remedy: ERRORS.VERIFY_FAILED.remedy }
    : undefined;
  const fault = verdict ?? error;
  const own = (one: ErrorDocument) => ownRemedy(one, { runId: found.id, path: input.path });
  out.document({
    run_id: found.id,
    workflow_id: workflowIdOf(input),
    target: session.targetOf(input.backend),
    file: input.path,
    status,
    ...comparison,
    ...(isDirectory(input) ? { images_failed: images } : {}),
    error: fault ? own(fault) : null,
  });
  if (status !== 'verified' || !comparison) {
    if (error) out.error(own(error));
    return 1;
  }
  out.answer(`Verified run ${found.id}: ${verdictOf(comparison, images)}`);
  out.detail(`  In:       ${session.targetOf(input.backend)}`);
  if (comparison.lines.length > 0 && !isDirectory(input)) out.detail(`  Lines: ${comparison.lines.join(', ')}`);
  for (const { item, code, message } of report.directory?.failedItems ?? [])
    out.detail(`  ${item}: ${code} ${message}`);
  if (verdict) out.error(own(verdict));
  return failed ? 1 : 0;
}

const verdictOf = ({ rows, missing, different, edited, extra = {} }: Comparison, images: number): string =>
  `${thousands(rows)} rows compared, ${thousands(missing)} missing, ${thousands(different)} different, ${thousands(edited)} edited since` +
  Object.entries(extra)
    .map(([table, n]) => `, ${thousands(n)} of ${table} not from the file`)
    .join('') +
  (images > 0 ? `, ${thousands(images)} images missing or damaged` : '');
