/** Runs that are in progress, and whether they are really at work. */
import { conditionCounts, openConditions } from '../../runs/condition.ts';
import type { Session } from '../session.ts';
import { check, failed, type Check } from './check.ts';

/** Nothing where database or Temporal do not answer: that is said by their own checks. */
export async function checkRuns(session: Session): Promise<Check[]> {
  const found = await openConditions(session).catch(() => undefined);
  if (!found) return [];
  return [
    await check('runs', () => {
      const bad = found.filter(({ name }) => name !== 'running');
      if (bad.length === 0) return found.length === 0 ? 'none in progress' : `${found.length} in progress`;
      const remedies = [...new Set(bad.map(({ remedy }) => remedy ?? ''))];
      throw failed(`In progress: ${conditionCounts(found)}. ${bad[0]!.message}`, remedies.slice(0, 5).join(' '));
    }),
  ];
}
