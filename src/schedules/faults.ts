/** Why a schedule cannot do its work. */
import type { ScheduleDescription } from '@temporalio/client';
import { differenceOf, type Place } from '../messages/place.ts';
import { shellWord } from '../values/text.ts';
import type { ScheduledWorkflow } from './definitions.ts';

/** Fields without which its workflow cannot do anything. */
const NEEDED: Readonly<Record<ScheduledWorkflow, readonly string[]>> = {
  scheduledPush: ['tenantId', 'from', 'fileQueue'],
  scheduledImport: ['request', 'fileQueue'],
  retention: ['importsDays', 'anomaliesDays'],
  alertAnomalies: ['windowHours'],
};

export function faultIn({ action: { workflowType, args } }: ScheduleDescription): string | null {
  const needed = NEEDED[workflowType as ScheduledWorkflow];
  if (!needed) return `it starts ${workflowType}`;
  const [input] = (args ?? []) as unknown[];
  if (typeof input !== 'object' || input === null) return 'its input is missing';
  const missing = needed.filter((name) => !(name in input));
  return missing.length > 0 ? `its input has no ${missing.join(', ')}` : null;
}

/** What the workers of who looks would refuse. */
function placeFaultIn({ action: { args } }: ScheduleDescription, own: Place): string | null {
  const [{ databaseId, objects, target }] = args as [Place];
  const difference = differenceOf({ databaseId, objectsId: objects?.id }, own);
  if (difference === 'database') return `it was made for another database: ${target ?? 'unknown'}`;
  return difference ? `it was made for other objects than these: ${objects?.name}` : null;
}

export function brokenBy(
  description: ScheduleDescription & { scheduleId: string },
  own: Place,
): { readonly broken: string | null; readonly mend: string | null } {
  const id = shellWord(description.scheduleId);
  const fault = faultIn(description);
  if (fault)
    return {
      broken: fault,
      mend: `Remove it and make it anew: intake schedule remove ${id}, then intake schedule add (see --help).`,
    };
  const elsewhere = placeFaultIn(description, own);
  return {
    broken: elsewhere,
    mend:
      elsewhere &&
      `If it belongs to this one: intake schedule set ${id} --here; else remove it: intake schedule remove ${id}`,
  };
}
