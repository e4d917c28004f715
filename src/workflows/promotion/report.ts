/** How an import's report begins, grows and ends. */
import {
  emptyReport,
  type Claim,
  type Comparison,
  type Content,
  type ImportInput,
  type ImportReport,
  type ImportStatus,
  type Plan,
} from '../../messages/imports.ts';
import { addRemarks } from '../../messages/remarks.ts';
import type { RunInput } from '../../messages/run.ts';
import { publishProgress } from './progress.ts';
import { now } from '../execution.ts';

export const createReport = (input: RunInput): ImportReport => ({
  ...emptyReport(now()),
  ...(input.mode === 'verify' ? { comparison: emptyComparison() } : {}),
});

export const emptyComparison = (): Comparison => ({ rows: 0, missing: 0, different: 0, edited: 0, lines: [] });

export const extraRows = ({ extra = {} }: Comparison): number => Object.values(extra).reduce((sum, n) => sum + n, 0);

export function addFileFacts(report: ImportReport, plan: Plan, content: Content): void {
  const { delimiter, columns, mapped, headers } = plan;
  const remarks = content.remarks ? { ...plan.remarks, ...content.remarks } : plan.remarks;
  report.plan = {
    encoding: content.encoding,
    delimiter,
    columns,
    mapped,
    ...(headers ? { headers } : {}),
    ...(remarks ? { remarks } : {}),
  };
  report.parentRunId = plan.parentRunId ?? null;
  report.storagePath = content.storagePath;
}

/** What one partition adds. */
export interface PartResult {
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  readonly effects?: Readonly<Record<string, number>>;
  readonly comparison?: Comparison;
  readonly slices?: number;
}

export function addPartitionCounts(report: ImportReport, part: PartResult): void {
  report.counts.inserted += part.inserted;
  report.counts.updated += part.updated;
  report.counts.skipped += part.skipped;
  for (const [name, n] of Object.entries(part.effects ?? {}))
    (report.effects ??= {})[name] = (report.effects?.[name] ?? 0) + n;
  if (part.slices) addRemarks((report.remarks ??= {}), { TIME_LIMIT: { count: 1, detail: String(part.slices) } });
  const { refused = 0 } = part.effects ?? {};
  if (refused > 0) report.codes.REFUSED_ROW = (report.codes.REFUSED_ROW ?? 0) + refused;
  if (report.comparison && part.comparison) {
    for (const key of ['rows', 'missing', 'different', 'edited'] as const)
      report.comparison[key] += part.comparison[key];
    if (part.comparison.extra) report.comparison.extra = part.comparison.extra;
    report.comparison.lines = [...report.comparison.lines, ...part.comparison.lines].sort((a, b) => a - b).slice(0, 20);
  }
}

/** No worker of the file's host takes a task, or one does again. @returns whether that is news. */
export function reportWaiting(report: ImportReport, waiting: ImportReport['waiting']): boolean {
  if (Boolean(waiting) === Boolean(report.waiting)) return false;
  if (waiting) report.waiting = waiting;
  else delete report.waiting;
  publishProgress(report);
  return true;
}

/** Counting starts again: the database lost the stage in a crash. */
export function resetCounts(report: ImportReport): void {
  report.codes = {};
  delete report.remarks;
  delete report.match;
  delete report.effects;
  report.counts = { fetched: 0, inserted: 0, updated: 0, skipped: 0, errored: 0 };
  if (report.comparison) report.comparison = emptyComparison();
}

/** Whether --max-errors was passed. */
export function overErrorLimit(input: ImportInput, report: ImportReport): boolean {
  const limit = input.options.maxErrors;
  if (!limit || input.mode === 'verify') return false;
  const { errored, fetched } = report.counts;
  return 'rows' in limit ? errored > limit.rows : errored * 100 > limit.percent * fetched;
}

/** The batch is finished, or somebody else has it. */
export function reportNotClaimed(report: ImportReport, claim: Claim): ImportReport {
  if (claim.status === 'duplicate') {
    report.runId = report.duplicateOf = claim.runId;
    report.storagePath = claim.original?.storagePath ?? null;
    if (claim.original) report.original = claim.original;
    return finishReport(report, 'duplicate');
  }
  const { runId, holder } = claim;
  report.runId = runId;
  const times = holder ? ` since ${utc(holder.since)}, last heard of ${utc(holder.lastSeen)}` : '';
  report.error = {
    code: 'IN_PROGRESS',
    message: `Another worker is processing this batch: run ${runId}${times}`,
    remedy: `Watch it: intake runs show ${runId} - stop it: intake cancel ${runId} - after 30 minutes without a word it is taken over.`,
  };
  return finishReport(report, 'in_progress');
}

/** `2026-11-26 14:03:10 UTC` */
const utc = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

export function finishReport(report: ImportReport, status: ImportStatus): ImportReport {
  report.status = status;
  report.finishedAt ??= now();
  delete report.waiting;
  publishProgress(report);
  return report;
}
