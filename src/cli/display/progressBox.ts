/** The display of runbook 004 as lines of text: title, elapsed time, phases with bars, rates and ETA, failed rows. */
import { cutToWidth } from './table.ts';
import { isDirectory } from '../../imports/request.ts';
import { PENDING, PHASE_MARKS, phasesOf, remainingSeconds, secondsOf } from '../../messages/phases.ts';
import type { AnyInput, ImportReport, PhaseName } from '../../messages/imports.ts';
import type { ActivityProgress } from './activityProgress.ts';
import { failedItemsOf, thousands } from './importSummary.ts';
import { printable } from '../../observability/printable.ts';
import type { Output } from '../output.ts';

export interface ProgressView {
  readonly report: ImportReport;
  readonly activity: ActivityProgress | undefined;
  readonly input: AnyInput;
  /** Width of the terminal. */
  readonly columns: number;
  readonly style: Output['style'];
}

const BAR = 20;

/** @returns lines no wider than the terminal. */
export function renderProgress({ report, activity, input, columns, style }: ProgressView): string[] {
  const rule = '='.repeat(columns - 1);
  const elapsed = secondsSince(report.startedAt, report.finishedAt);
  const { counts } = report;
  const lines = [
    rule,
    `📊 Import Progress: ${input.batchName} (${titleOf(input, report)})`,
    rule,
    `⏱️  Elapsed: ${clock(elapsed)}  |  Backend: ${input.backend}${report.runId ? `  |  Run: ${report.runId.slice(0, 8)}` : ''}`,
    isDirectory(input)
      ? `📁 Total Files: ${thousands(report.directory?.plan?.files ?? 0)}  |  Images: ${thousands(report.directory?.plan?.images ?? 0)}`
      : `📁 ${input.filename}  |  ${size(input.bytes)}  |  Rows: ${thousands(counts.fetched)}`,
    '',
    '📊 Phase Summary:',
    ...phasesOf(input.mode, isDirectory(input), report).map((name) => phaseLine(name, report, activity)),
    '',
    `❌ Failed Items: ${report.directory ? failedItemsOf(report.directory) : failedRows(report)}`,
    ...(report.waiting ? [`⚠️  No worker takes tasks of ${report.waiting.queue}: start one on that host`] : []),
    ...(activity?.waiting ? [`⚠️  Tried again: ${activity.waiting.code} ${activity.waiting.message}`] : []),
    rule,
  ];
  return lines
    .map((line) => cutToWidth(printable(line), columns - 1))
    .map((line, i) => (i === 1 ? style('bold', line) : line));
}

function titleOf({ kind, mode }: AnyInput, { directory }: ImportReport): string {
  return directory?.datasetId ? `Dataset ID: ${directory.datasetId}` : `${kind}, ${mode}`;
}

function failedRows({ counts, codes }: ImportReport): string {
  return `${thousands(counts.errored)}${
    counts.errored
      ? ` (${Object.entries(codes)
          .map(([code, n]) => `${code} ${n}`)
          .join(', ')})`
      : ''
  }`;
}

function phaseLine(name: PhaseName, { phases, counts }: ImportReport, activity: ActivityProgress | undefined): string {
  const state = phases[name] ?? PENDING;
  const head = `  ${PHASE_MARKS[state.status].emoji} ${name.toUpperCase()}: `;
  if (state.status === 'pending') return `${head}pending`;
  if (state.status !== 'running') return `${head}${state.status} (${secondsOf(state).toFixed(1)}s)`;
  const elapsed = secondsOf(state);
  const within = activity?.phase === name ? activity : undefined;
  const { done, total } = within ?? state;
  if (total <= 1) return `${head}running (${clock(elapsed)})`;
  const share = Math.min(1, done / total);
  const progress = within?.unit === 'bytes' ? `${size(done)}/${size(total)}` : `${thousands(done)}/${thousands(total)}`;
  const rest = remainingSeconds(elapsed, done, total);
  const eta = rest === undefined ? '' : `  ETA ${clock(rest)}`;
  const rate = rateOf(name, done / Math.max(elapsed, 0.1), counts.fetched / Math.max(elapsed, 0.1), within);
  return `${head}${bar(share)} ${String(Math.floor(share * 100)).padStart(3)}%  ${progress}${rate}${eta}`;
}

function rateOf(name: PhaseName, units: number, rows: number, within: ActivityProgress | undefined): string {
  if (within?.unit === 'bytes') return `  ${size(units)}/s`;
  if (within && units >= 1) return `  ${thousands(Math.round(units))} ${within.unit}/s`;
  return name === 'parse' && rows >= 1 ? `  ${thousands(Math.round(rows))} rows/s` : '';
}

const bar = (share: number): string => '█'.repeat(Math.round(share * BAR)).padEnd(BAR, '░');

function secondsSince(start: string | undefined, end?: string): number {
  return start ? Math.max(0, (end ? Date.parse(end) : Date.now()) - Date.parse(start)) / 1000 : 0;
}

/** `1m 05s` */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const hours = whole >= 3600 ? `${Math.floor(whole / 3600)}h ` : '';
  return `${hours}${Math.floor((whole % 3600) / 60)}m ${String(whole % 60).padStart(2, '0')}s`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['B', 'KB', 'MB', 'GB'][power]}`;
}
