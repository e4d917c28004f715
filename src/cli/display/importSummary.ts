/**
 * cli/display/: What people see: boxes, tables, summaries, documents.
 *
 * The words in which an import ends.
 */
import { ERRORS, type ErrorCode } from '../../errors.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import { kindNamed } from '../../kinds/index.ts';
import { differenceSentences, differencesOf, isDifference, type Differences } from '../../messages/differences.ts';
import type { EffectLine, Kind } from '../../kinds/kind.ts';
import type { DirectoryReport } from '../../messages/directory.ts';
import { remarkSentence } from '../../messages/remarks.ts';
import type { HeaderUse, MatchNumbers, Counts, ErrorDocument, ImportReport } from '../../messages/imports.ts';
import { secondsOf, type ImportFacts } from './importDocument.ts';
import { commitCommands } from './nextCommand.ts';
import { ownRemedy } from './ownRemedy.ts';
import { shellWord } from '../../values/text.ts';
import type { Output } from '../output.ts';

const WORDS = { dry_run: 'DRY_RUN', completed: 'COMPLETED', failed: 'FAILED', cancelled: 'CANCELLED' } as const;

/** `Import DRY_RUN: 100 fetched, 100 inserted, 0 skipped, 0 errored`, as the runbooks have it. */
export function summaryLine(
  status: keyof typeof WORDS,
  { fetched, inserted, updated, skipped, errored }: Counts,
): string {
  const changed = updated > 0 ? `, ${updated} updated` : '';
  return `Import ${WORDS[status]}: ${fetched} fetched, ${inserted} inserted${changed}, ${skipped} skipped, ${errored} errored`;
}

/** Prints how an import ended. @returns the exit code. */
export function summarize(out: Output, facts: ImportFacts, report: ImportReport): number {
  const { status, effects, runId } = report;
  const error = report.error && ownRemedy(report.error, { runId, path: facts.request.path });
  if (status === 'duplicate') {
    sayDuplicate(out, facts, report);
  } else if (status === 'in_progress') {
    out.answer(`${error?.message ?? 'Another worker is processing this batch'}. No action taken.`);
    if (error) out.detail(`  ${error.remedy}`);
  } else if (status === 'dry_run' || status === 'completed' || status === 'failed' || status === 'cancelled') {
    if (facts.workflowId) {
      out.answer(summaryLine(status, report.counts));
      for (const line of detailLines(facts, report)) out.detail(`  ${line}`);
    }
  }
  if (error && status !== 'in_progress') out.error(error);
  else if (effects?.['refused']) out.error(refusedError(effects['refused'], runId));
  return exitCodeOf(report);
}

/** 0 done, dry run or duplicate; 1 failed or in progress elsewhere; 2 unusable input. */
export function exitCodeOf({ status, error }: ImportReport): number {
  if (status === 'dry_run' || status === 'completed' || status === 'duplicate' || status === 'verified') return 0;
  return error && error.code in ERRORS ? ERRORS[error.code as ErrorCode].exit : 1;
}

/** Not of the run: every other record of the batches is in. */
function refusedError(refused: number, runId: string | null): ErrorDocument {
  return {
    code: 'REFUSED_ROW',
    message: `Batch import failed for ${thousands(refused)} record${refused === 1 ? '' : 's'} that the database refused; the others are in`,
    remedy: `intake rejects ${runId} lists them; mend them, or the constraint or trigger, then import again.`,
  };
}

function sayDuplicate(
  out: Output,
  { request, input, target }: ImportFacts,
  { duplicateOf, original }: ImportReport,
): void {
  const filename = input?.filename ?? request.path;
  const hash = input && 'fileHash' in input ? input.fileHash.slice(0, 16) : '';
  out.answer(`DUPLICATE BATCH: File '${filename}' with hash ${hash}... has already been imported. No action taken.`);
  const when = original?.completedAt ? ` on ${original.completedAt.slice(0, 19).replace('T', ' ')} UTC` : '';
  const copy = original && original.filename !== filename ? ` as '${original.filename}'` : '';
  out.answer(`  Imported${copy} by run ${duplicateOf}${when}.`);
  if (target) out.detail(`  Into:     ${target}`);
}

function detailLines({ request, input, target }: ImportFacts, report: ImportReport): string[] {
  const { runId, parentRunId, parentGone, limitIgnored, codes, counts, effects, storagePath, plan, duplicateOf } =
    report;
  const lines: string[] = [];
  if (target) lines.push(`Into:     ${target}`);
  if (runId) lines.push(`Run:      ${runId}`);
  if (parentRunId)
    lines.push(
      `Mended:   from the rejects of run ${parentRunId}${parentGone ? ', which is not in this database any more' : ''}`,
    );
  if (limitIgnored)
    lines.push(
      'Note:     more rows are rejected than --max-errors allows, but rows of this run were in production already',
    );
  if (counts.errored > 0 && !report.directory) {
    const kinds = Object.entries(codes)
      .sort(([, a], [, b]) => b - a)
      .map(([code, n]) => `${code} ${n}`)
      .join(', ');
    lines.push(`Rejected: ${kinds || counts.errored}; ${rejectsHint(request.rejectsPath, runId)}`);
  }
  if (report.directory)
    lines.push(...directoryLines(report.directory, request.mode, rejectsHint(request.rejectsPath, runId)));
  const kind = kindNamed(input?.kind ?? request.kind);
  const differences = differencesOf(effects, kind.effects.fields);
  if (differences) lines.push(...differenceLines(differences, counts, { runId, path: request.differencesPath }));
  if (effects) lines.push(...effectLines(kind, effects));
  if (report.match)
    lines.push(`People:   ${matchWords(report.match, input && 'options' in input ? input.options.match : undefined)}`);
  if (runId && storagePath) lines.push(`Stored:   ${storagePath}`);
  if (plan)
    lines.push(
      `Read as:  ${plan.encoding}, ${delimiterName(plan.delimiter)}, ${plan.columns} columns (${plan.mapped.join(', ')})`,
    );
  if (plan?.headers) lines.push(...headerLines(plan.headers, plan.columns));
  for (const [code, remark] of Object.entries({ ...plan?.remarks, ...report.remarks })) {
    const sentence = remarkSentence(code, remark);
    if (sentence) lines.push(`Note:     ${sentence}`);
  }
  const seconds = secondsOf(report);
  if (seconds > 0) {
    const [done, unit] = report.directory ? [report.directory.plan?.files ?? 0, 'files'] : [counts.fetched, 'rows'];
    lines.push(
      `Took:     ${seconds.toFixed(1)} s${done > 0 ? `, ${thousands(Math.round(done / seconds))} ${unit}/s` : ''}`,
    );
  }
  if (request.mode === 'dry-run' && report.status === 'dry_run') {
    if (duplicateOf)
      lines.push(`Note:     run ${duplicateOf} has imported this batch; a commit would be refused as a duplicate`);
    else lines.push(...nextLines(commitCommands(request, input, { ...plan?.remarks, ...report.remarks })));
  }
  return lines;
}

function nextLines([command, ...others]: readonly string[]): string[] {
  if (others.length === 0) return [`Nothing was written; import it with: ${command}`];
  return [
    'Nothing was written; import it with the order of its dates, the first as it was tried here:',
    ...[command, ...others].map((each) => `  ${each}`),
  ];
}

/** The numbers of the rule in force, and of the other one, if they differ. */
function matchWords(match: MatchNumbers, rule: 'names' | 'contact' = 'names'): string {
  const words = (name: string) =>
    `${match[name]?.plaintiffs_created ?? 0} plaintiffs created, ${match[name]?.plaintiffs_matched ?? 0} matched`;
  const other = rule === 'names' ? 'contact' : 'names';
  return `${words(rule)} with --match ${rule}; ${words(other)} with --match ${other}`;
}

/** Headers under another name of ours, and those that are not taken, with the option that would take them. */
function headerLines(headers: readonly HeaderUse[], columns: number): string[] {
  const lines: string[] = [];
  const taken = headers.filter(({ header, column }) => column !== null && column !== header);
  if (taken.length > 0)
    lines.push(`Headers:  ${taken.map(({ header, column }) => `${header} -> ${column}`).join(', ')}`);
  const left = headers.filter(({ column }) => column === null);
  if (left.length > 0) {
    const names = left.slice(0, 20).map(({ header }) => header);
    const others = columns - (headers.length - left.length) - names.length; // the report lists the first thousand
    const more = others > 0 ? ` and ${others} more` : '';
    lines.push(`Not taken: ${names.join(', ')}${more} (kept in the raw row)`);
  }
  for (const { header, suggestion } of left.filter((use) => use.suggestion).slice(0, 5))
    lines.push(`          ${header} may be ${suggestion}: --map ${shellWord(`${header}=${suggestion}`)}`);
  return lines;
}

/** What rows of known keys say otherwise, where all of it stands, and what would write it. */
function differenceLines(
  differences: Differences,
  counts: Counts,
  { runId, path }: { runId: string | null; path: string | undefined },
): string[] {
  const lines = differenceSentences(differences, counts).map((sentence) => `Differ:   ${sentence}`);
  const listed = runId ? `intake runs differences ${runId} -o differences.csv lists` : '--differences FILE writes';
  lines.push(path ? `          written to ${path}` : `          ${listed} them`);
  if (differences.rows > differences.in_file && counts.updated === 0)
    lines.push(
      `          --on-conflict update${runId ? ' with another --batch-id' : ''} writes them, but for rows that somebody edited`,
    );
  return lines;
}

/** What an import counted besides rows, in the words of its kind. */
function effectLines({ effects: { summary, showZero } }: Kind, effects: Readonly<Record<string, number>>): string[] {
  if (!showZero && Object.entries(effects).every(([name, n]) => n === 0 || isDifference(name))) return [];
  return summary.flatMap((line) =>
    Object.keys(line.counters).some((name) => name in effects) ? effectLine(line, effects) : [],
  );
}

/** `Effects:  2 plaintiffs created, 1 matched`, `Anomalies: 7 (UNKNOWN_DS 4, DUPLICATE_ROW 3)`. */
function effectLine(
  { label, counters, separator = ', ', byType }: EffectLine,
  effects: Readonly<Record<string, number>>,
): string {
  const counted = Object.entries(counters).map(([name, words]) =>
    `${thousands(effects[name] ?? 0)} ${words}`.trimEnd(),
  );
  const types = Object.entries(byType ? effects : {})
    .filter(([name]) => /^[A-Z_]+$/.test(name))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([name, n]) => `${name} ${thousands(n)}`);
  return `${label}${counted.join(separator)}${types.length > 0 ? ` (${types.join(', ')})` : ''}`;
}

function directoryLines(report: DirectoryReport, mode: ImportRequest['mode'], hint: string): string[] {
  const { plan, images, failed, failedItems, datasetId, tag } = report;
  if (!plan) return [];
  const unchanged = plan.unchanged > 0 ? `, ${thousands(plan.unchanged)} unchanged and left out` : '';
  const duplicates = plan.duplicates > 0 ? `, ${thousands(plan.duplicates)} the same search as another` : '';
  const found =
    mode === 'commit'
      ? `${thousands(images.uploaded)} uploaded, ${thousands(images.skipped)} in storage already`
      : thousands(plan.images);
  const lines = [
    `Dataset:  ${tag}${datasetId === null ? '' : `, ID ${datasetId}`}`,
    `Files:    ${thousands(plan.files)}${unchanged}${duplicates}`,
    `Images:   ${found}, ${thousands(plan.missingImages)} missing, ${thousands(plan.orphanImages)} of no file`,
  ];
  if (plan.leftOut)
    lines.push(
      `Left out: ${thousands(plan.leftOut.count)} JSON files whose names do not end in _parse.json (${plan.leftOut.first.join(', ')}${plan.leftOut.count > plan.leftOut.first.length ? ', ...' : ''})`,
    );
  if (failed > 0) lines.push(`Failed:   ${failedItemsOf(report)}; ${hint}`);
  for (const { item, code, message } of failedItems.slice(0, 10)) lines.push(`  ${item}: ${code} ${message}`);
  if (failed > 10) lines.push('  ...');
  return lines;
}

/** `12 (IMAGE_MISSING 10, BAD_DATE 2)`; the report has the first of them. */
export function failedItemsOf({ failed, failedItems }: DirectoryReport): string {
  const codes = Object.entries(Object.groupBy(failedItems, ({ code }) => code)).map(
    ([code, items = []]) => `${code} ${items.length}`,
  );
  const more = failed > failedItems.length ? ['...'] : [];
  return `${thousands(failed)}${codes.length > 0 ? ` (${[...codes, ...more].join(', ')})` : ''}`;
}

function rejectsHint(path: string | undefined, runId: string | null): string {
  if (path) return `written to ${path}`;
  return runId ? `intake rejects ${runId} -o rejects.csv` : '--rejects FILE writes them';
}

const NAMES: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' };
const delimiterName = (delimiter: string): string => NAMES[delimiter] ?? delimiter;

export const thousands = (n: number): string => n.toLocaleString('en-US');
