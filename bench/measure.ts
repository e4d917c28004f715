/** Rounds over the contenders, and whether all of them did the same. */
import { fillPlaintiffs, startAfresh, walPosition } from './database.ts';
import type { Contender, Counts, Course } from './contenders/contender.ts';
import { secondsOf, type Result } from './table.ts';

/**
 * Lets each contender run once a round, so that a slow hour of the machine is everybody's.
 * @returns of each contender its middle run by time.
 */
export async function measure(
  contenders: readonly Contender[],
  course: Course,
  rounds: number,
  say: (line: string) => void,
): Promise<Result[]> {
  const runs = new Map<Contender, Result[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      say(`${contender.name}: ${contender.about}`);
      if (!contender.follows) {
        await startAfresh(course.database, course.stack);
        if (course.into) await fillPlaintiffs(course.database, course.into);
      }
      const before = await walPosition(course.database);
      const outcome = await contender.run(course);
      const walMb = ((await walPosition(course.database)) - before) / 2 ** 20;
      say(`  ${secondsOf(outcome.seconds)} s`);
      runs.get(contender)?.push({ name: contender.name, ...outcome, walMb });
    }
  }
  return [...runs.values()].map(
    (results) => results.sort((a, b) => a.seconds - b.seconds)[Math.floor(rounds / 2)] as Result,
  );
}

/** Numbers in which contenders with as many rows differ, from each other or from what the rows were made to give; a line each. */
export function differences(
  results: readonly Pick<Result, 'name' | 'rows' | 'counts'>[],
  rows: number,
  expected: (rows: number) => Counts,
): string[] {
  const byRows = Map.groupBy(
    results.filter(({ counts }) => counts),
    (result) => result.rows ?? rows,
  );
  return [...byRows].flatMap(([taken, group]) => {
    const all = [{ name: 'the file', counts: expected(taken) }, ...group].map(({ name, counts = {} }) => ({
      name,
      counts,
    }));
    const what = new Set(all.flatMap(({ counts }) => Object.keys(counts)));
    return [...what].flatMap((key) => {
      const found = all.filter(({ counts }) => key in counts);
      if (new Set(found.map(({ counts }) => counts[key])).size <= 1) return [];
      return [`${key} of ${taken} rows: ${found.map(({ name, counts }) => `${name} ${counts[key]}`).join(', ')}`];
    });
  });
}
