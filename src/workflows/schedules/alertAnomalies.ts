/** Looks at the anomalies of a window and tells who has to know (runbook 003); the window is the schedule's, not the clock's. */
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { activityProxies } from '../policies.ts';
import { scheduledTime } from '../execution.ts';
import type { AlertReport, AlertsInput } from '../../messages/schedules.ts';

export async function alertAnomalies({ taskQueue, windowHours, byHand, ...place }: AlertsInput): Promise<AlertReport> {
  const { assessAnomalies } = activityProxies({ taskQueue }).anyWorker;
  const { sendAlert } = activityProxies({ taskQueue, interactive: byHand }).anyWorker;
  const alert = await assessAnomalies({
    ...place,
    until: scheduledTime().toISOString(),
    windowHours,
    id: workflowInfo().firstExecutionRunId,
  });
  const outcome = alert.level === 'none' ? 'below-threshold' : (await sendAlert(alert)) ? 'sent' : 'no-webhook';
  setCurrentDetails(
    [
      `**${alert.level}** · ${alert.total} anomalies from ${alert.window.since} to ${alert.window.until} · ${outcome}`,
      ...alert.reasons.map(({ text }) => `- ${text}`),
    ].join('\n\n'),
  );
  return { alert, outcome };
}
