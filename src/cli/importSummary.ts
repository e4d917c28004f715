/** The words in which an import ends. */
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { DirectoryReport } from '../workflows/directoryMessages.ts';
import type { Counts, ImportReport } from '../workflows/messages.ts';
import { secondsOf, type ImportFacts } from './importDocument.ts';
import type { Output } from './output.ts';

const WORDS = { dry_run: 'DRY_RUN', completed: 'COMPLETED', failed: 'FAILED', cancelled: 'CANCELLED' } as const;

/** `Import DRY_RUN: 100 fetched, 100 inserted, 0 skipped, 0 errored`, as the runbooks have it. */
export function summaryLine(status: keyof typeof WORDS, { fetched, inserted, updated, skipped, errored }: Counts): string {
  const changed = updated > 0 ? `, ${updated} updated` : '';
  return `Import ${WORDS[status]}: ${fetched} fetched, ${inserted} inserted${changed}, ${skipped} skipped, ${errored} errored`;
}

/** Prints how an import ended. @returns the exit code. */
export function summarize(out: Output, facts: ImportFacts, report: ImportReport): number {
  const { status, error } = report;
  if (status === 'duplicate') {
    sayDuplicate(out, facts, report);
  } else if (status === 'in_progress') {
    out.answer('Another worker is processing this batch. No action taken.');
    if (report.runId) out.detail(`  Run ${report.runId}; watch it: intake runs watch ${report.runId}`);
  } else if (status === 'dry_run' || status === 'completed' || status === 'failed' || status === 'cancelled') {
    if (facts.workflowId) {
      out.answer(summaryLine(status, report.counts));
      for (const line of detailLines(facts, report)) out.detail(`  ${line}`);
    }
  }
  if (error && status !== 'in_progress') out.error(error);
  return exitCodeOf(report);
}

/** 0 done, dry run or duplicate; 1 failed or in progress elsewhere; 2 unusable input. */
export function exitCodeOf({ status, error }: ImportReport): number {
  if (status === 'dry_run' || status === 'completed' || status === 'duplicate' || status === 'verified') return 0;
  return error && error.code in ERRORS ? ERRORS[error.code as ErrorCode].exit : 1;
}

function sayDuplicate(out: Output, { request, input }: ImportFacts, { duplicateOf, original }: ImportReport): void {
  const filename = input?.filename ?? request.path;
  const hash = input && 'fileHash' in input ? input.fileHash.slice(0, 16) : '';
  out.answer(`DUPLICATE BATCH: File '${filename}' with hash ${hash}... has already been imported. No action taken.`);
  const when = original?.completedAt ? ` on ${original.completedAt.slice(0, 19).replace('T', ' ')} UTC` : '';
  const copy = original && original.filename !== filename ? ` as '${original.filename}'` : '';
  out.answer(`  Imported${copy} by run ${duplicateOf}${when}.`);
}

function detailLines({ request, input }: ImportFacts, report: ImportReport): string[] {
  const { runId, parentRunId, codes, counts, effects, storagePath, plan, duplicateOf } = report;
  const lines: string[] = [];
  if (runId) lines.push(`Run:      ${runId}`);
  if (parentRunId) lines.push(`Mended:   from the rejects of run ${parentRunId}`);
  if (counts.errored > 0) {
    const kinds = Object.entries(codes).sort(([, a], [, b]) => b - a).map(([code, n]) => `${code} ${n}`).join(', ');
    lines.push(`Rejected: ${kinds || counts.errored}; ${rejectsHint(request.rejectsPath, runId)}`);
  }
  if (report.directory) lines.push(...directoryLines(report.directory));
  if (effects && 'plaintiffs_created' in effects && Object.values(effects).some((n) => n > 0)) lines.push(`Effects:  ${effectsLine(effects)}`);
  if (runId && storagePath) lines.push(`Stored:   ${storagePath}`);
  if (plan) lines.push(`Read as:  ${plan.encoding}, ${delimiterName(plan.delimiter)}, ${plan.columns} columns (${plan.mapped.join(', ')})`);
  const seconds = secondsOf(report);
  if (seconds > 0) lines.push(`Took:     ${seconds.toFixed(1)} s, ${thousands(Math.round(counts.fetched / seconds))} rows/s`);
  if (request.mode === 'dry-run' && report.status === 'dry_run') {
    if (duplicateOf) lines.push(`Note:     run ${duplicateOf} has imported this batch; a commit would be refused as a duplicate`);
    else lines.push(`Nothing was written; import it with: intake import ${input?.kind ?? request.kind} ${request.path} --commit`);
  }
  return lines;
}

const EFFECTS = {
  plaintiffs_created: 'plaintiffs created', plaintiffs_matched: 'matched', contact_inserts: 'contacts', follow_up_tasks: 'tasks',
  enforcement_initializations: 'enforcement stages', queued_jobs: 'jobs',
};

const effectsLine = (effects: Readonly<Record<string, number>>): string =>
  Object.entries(EFFECTS).map(([name, words]) => `${thousands(effects[name] ?? 0)} ${words}`).join(', ');

function directoryLines({ plan, images, failed, failedItems, datasetId }: DirectoryReport): string[] {
  if (!plan) return [];
  const unchanged = plan.unchanged > 0 ? `, ${thousands(plan.unchanged)} unchanged and left out` : '';
  const duplicates = plan.duplicates > 0 ? `, ${thousands(plan.duplicates)} the same search as another` : '';
  const lines = [
    `Dataset:  ${datasetId ?? 'not made by a dry run'}`,
    `Files:    ${thousands(plan.files)}${unchanged}${duplicates}`,
    `Images:   ${thousands(images.uploaded)} uploaded, ${thousands(images.skipped)} in storage already, ${thousands(plan.missingImages)} missing, ${thousands(plan.orphanImages)} of no file`,
  ];
  if (failed > 0) lines.push(`Failed:   ${thousands(failed)} items`);
  for (const { item, code, message } of failedItems.slice(0, 10)) lines.push(`  ${item}: ${code} ${message}`);
  if (failed > 10) lines.push('  ...');
  return lines;
}

function rejectsHint(path: string | undefined, runId: string | null): string {
  if (path) return `written to ${path}`;
  return runId ? `intake rejects ${runId} -o rejects.csv` : '--rejects FILE writes them';
}

const NAMES: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' };
const delimiterName = (delimiter: string): string => NAMES[delimiter] ?? delimiter;

export const thousands = (n: number): string => n.toLocaleString('en-US');
