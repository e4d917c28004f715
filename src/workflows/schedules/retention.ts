/** Deletes old batches and anomalies, their counts by day stay (runbook 003, retention). */
import { setCurrentDetails } from '@temporalio/workflow';
import { activityProxies } from '../policies.ts';
import type { RetentionInput, RetentionReport } from '../../messages/schedules.ts';

export async function retention({ taskQueue, ...days }: RetentionInput): Promise<RetentionReport> {
  const report = await activityProxies({ taskQueue }).anyWorker.cleanImportData(days);
  setCurrentDetails(`${report.staging_imports} batches and ${report.import_anomalies} anomalies deleted`);
  return report;
}
