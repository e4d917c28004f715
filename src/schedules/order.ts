/** What a schedule's workflows will read, call and delete, ordered in the database by who adds it. */
import type { Backend } from '../database/backend.ts';
import { filesIn, order } from '../database/orders.ts';
import type { RetentionInput, ScheduledImportInput, ScheduledPushInput } from '../messages/schedules.ts';
import type { Definition } from './definitions.ts';

export async function orderSchedule(
  backend: Pick<Backend, 'call'>,
  { workflow, input }: Pick<Definition, 'workflow' | 'input'>,
): Promise<void> {
  if (workflow === 'scheduledImport') {
    const { fileQueue, request } = input as ScheduledImportInput;
    await order(backend, 'file', filesIn({ ...request, ...request.directory, fileQueue }));
  } else if (workflow === 'scheduledPush') {
    const { fileQueue, from, gatewayUrl } = input as ScheduledPushInput;
    if (/^(https?|env):/.test(from)) await order(backend, 'source', [{ from }]);
    else await order(backend, 'file', filesIn({ fileQueue, path: from }));
    if (gatewayUrl) await order(backend, 'gateway', [{ url: gatewayUrl }]);
  } else if (workflow === 'retention') await orderRetention(backend, input as RetentionInput);
}

/** @param hours how long it may be done again; for good unless given. */
export async function orderRetention(
  backend: Pick<Backend, 'call'>,
  { importsDays, anomaliesDays, runDays }: Pick<RetentionInput, 'importsDays' | 'anomaliesDays' | 'runDays'>,
  hours?: number,
): Promise<void> {
  await order(backend, 'retention', [{ importsDays, anomaliesDays }], hours);
  if (runDays) await order(backend, 'runs', [{ days: runDays }], hours);
}
