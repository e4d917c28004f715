/** The schedules that a person may see. */
import type { Client } from '@temporalio/client';
import { listSchedules, type ScheduleView } from '../../schedules/view.ts';
import type { Me } from '../userRows.ts';

const PATIENCE_MS = 5_000;

/** With roles of single tenants only their daily imports. Undefined when Temporal does not answer. */
export async function visibleSchedules(client: Client, { tenants }: Me): Promise<ScheduleView[] | undefined> {
  try {
    const all = await client.connection.withDeadline(Date.now() + PATIENCE_MS, () => listSchedules(client));
    return tenants.includes('*')
      ? all
      : all.filter(
          ({ id, workflow }) => workflow === 'scheduledPush' && tenants.some((tenant) => id === `projects-${tenant}`),
        );
  } catch {
    return undefined;
  }
}
