/** The ratios of the last release (baseline.json) beside those of a run: machines differ, what runs beside Intake differs with them. */
import baseline from './baseline.json' with { type: 'json' };
import type { Subject } from './subjects/subject.ts';
import { ratioOf, type Result } from './table.ts';

/** What a run may lose against the last release before `--against-baseline` fails: on a machine that is shared a third is noise. */
const MAX_LOSS = 0.5;

interface Comparison {
  /** A sentence for each ratio of the last release that this run has, too. */
  readonly sentences: readonly string[];
  /** Whether one of them has got worse by more than `MAX_LOSS`. */
  readonly worse: boolean;
}

/** Compares a run with the last release's of as many rows (files). */
export function besideBaseline(
  { name: subject, ratios }: Pick<Subject, 'name' | 'ratios'>,
  results: readonly Result[],
  rows: number,
): Comparison {
  const compared = baseline.ratios
    .filter((known) => known.subject === subject && known.rows === rows)
    .flatMap(({ contender, ratio: head, value }) => {
      const [result, ratio] = [results.find(({ name }) => name === contender), ratios.find((r) => r.head === head)];
      const now = result && ratio && ratioOf(ratio, result, results, rows);
      if (now === undefined) return [];
      const gain = ratio?.of === 'time' ? value / now : now / value;
      const sentence = `${contender}, ${head}: ${now.toFixed(2)}, ${value.toFixed(2)} at ${baseline.version}`;
      return [{ sentence, worse: gain < 1 - MAX_LOSS }];
    });
  return { sentences: compared.map(({ sentence }) => sentence), worse: compared.some(({ worse }) => worse) };
}
