/** Runs that are in progress, and whether they are really at work. */
import { conditionOf, type Condition } from '../../runs/condition.ts';
import type { Session } from '../session.ts';
import { check, failed, type Check } from './check.ts';

const MOST = 200;

/** Nothing where database or Temporal do not answer: that is said by their own checks. */
export async function checkRuns(session: Session): Promise<Check[]> {
  const found: (Condition & { id: string })[] = [];
  try {
    const rows = await (await session.backend()).call('report', { name: 'in-progress', max_rows: MOST });
    for (const row of rows) {
      const condition = await conditionOf(session, row as never);
      if (condition) found.push({ ...condition, id: String(row['id']) });
    }
  } catch {
    return [];
  }
  const bad = found.filter(({ name }) => name !== 'running');
  return [
    await check('runs', () => {
      const [first] = bad;
      if (!first) return found.length === 0 ? 'none in progress' : `${found.length} in progress`;
      const counts = (['ORPHANED', 'FAILING', 'UNSERVED'] as const)
        .map((name) => ({ name, n: bad.filter((one) => one.name === name).length }))
        .filter(({ n }) => n > 0)
        .map(({ name, n }) => `${n} ${name}`);
      throw failed(`Of ${found.length} runs in progress ${counts.join(', ')}. ${first.message}`, first.remedy ?? '');
    }),
  ];
}
