/** The results as one table of text. */
import type { Outcome } from './contenders/contender.ts';

/** Medians over the runs of a contender. */
export interface Result extends Outcome {
  readonly name: string;
  readonly walMb: number;
}

const HEAD = ['contender', 'seconds', 'rows/s', 'rate / plain', 'time / own SQL', 'worker MB', 'events', 'WAL MB'];

/** `rate / plain`: how many times plain-psql's rate; `time / own SQL`: how many times own-sql-psql's time. */
export function tableOf(results: readonly Result[], rows: number): string {
  const secondsOf = (name: string): number | undefined => results.find((result) => result.name === name)?.seconds;
  const plain = secondsOf('plain-psql');
  const own = secondsOf('own-sql-psql');
  const body = results.map(({ name, seconds, workerPeakMb, events, walMb }) => [
    name, seconds.toFixed(1), Math.round(rows / seconds).toString(), ratio(plain, seconds), ratio(seconds, own),
    workerPeakMb?.toFixed(0) ?? '', events?.toString() ?? '', walMb.toFixed(0),
  ]);
  const lines = [HEAD, ...body];
  const widths = HEAD.map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)));
  const written = lines.map((line) => `| ${line.map((cell, i) => (i ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number))).join(' | ')} |`);
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [written[0], rule, ...written.slice(1)].join('\n');
}

/** One line of where an import's time went. */
export const phasesOf = ({ name, phases = {} }: Result): string =>
  `${name}: ${Object.entries(phases).map(([phase, { seconds = 0 }]) => `${phase} ${seconds.toFixed(1)} s`).join(', ')}`;

const ratio = (a: number | undefined, b: number | undefined): string => (a === undefined || b === undefined ? '' : (a / b).toFixed(2));
