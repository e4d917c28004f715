/** The results as one table of text. */
import type { Outcome } from './contenders/contender.ts';

/** Medians over the runs of a contender. */
export interface Result extends Outcome {
  readonly name: string;
  readonly walMb: number;
}

/** A column that compares each contender with one of them: how many times its `rate`, or its `time` for as many rows. */
export interface Ratio {
  readonly head: string;
  /** Its name, or which it is for a contender of this name: none leaves the cell empty. */
  readonly contender: string | ((name: string) => string | undefined);
  readonly of: 'rate' | 'time';
}

/** Rows a second; `rows` of the file, where the result does not say that it took fewer. */
const rateOf = (result: Result, rows: number): number => (result.rows ?? rows) / result.seconds;

/** Undefined where the contender to compare with did not run. */
export function ratioOf(
  { contender, of }: Ratio,
  result: Result,
  results: readonly Result[],
  rows: number,
): number | undefined {
  const wanted = typeof contender === 'string' ? contender : contender(result.name);
  const other = results.find(({ name }) => name === wanted);
  return other && (rateOf(result, rows) / rateOf(other, rows)) ** (of === 'rate' ? 1 : -1);
}

/** `rows` of the file, where a result does not say that it took fewer; `unit` is what they are. */
export function tableOf(results: readonly Result[], rows: number, ratios: readonly Ratio[], unit = 'rows'): string {
  const head = [
    'contender',
    unit,
    'seconds',
    `${unit}/s`,
    ...ratios.map((ratio) => ratio.head),
    'worker MB',
    'events',
    'WAL MB',
  ];
  const body = results.map((result) => [
    result.name,
    (result.rows ?? rows).toString(),
    secondsOf(result.seconds),
    Math.round(rateOf(result, rows)).toString(),
    ...ratios.map((ratio) => ratioOf(ratio, result, results, rows)?.toFixed(2) ?? ''),
    result.workerPeakMb?.toFixed(0) ?? '',
    result.events?.toString() ?? '',
    result.walMb.toFixed(0),
  ]);
  const lines = [head, ...body];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)));
  const written = lines.map(
    (line) =>
      `| ${line.map((cell, i) => (i ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number))).join(' | ')} |`,
  );
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [written[0], rule, ...written.slice(1)].join('\n');
}

/** Hundredths where they count. */
export const secondsOf = (seconds: number): string => seconds.toFixed(seconds < 10 ? 2 : 1);

/** One line of where an import's time went. */
export const phasesOf = ({ name, phases = {} }: Result): string =>
  `${name}: ${Object.entries(phases)
    .map(([phase, { seconds = 0 }]) => `${phase} ${secondsOf(seconds)} s`)
    .join(', ')}`;
