/** Deletes old batches and anomalies, their counts by day stay (runbook 003, retention). */
import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { STEP } from '../policies.ts';
import type { RetentionInput, RetentionReport } from '../../messages/schedules.ts';

export async function retention({ taskQueue, ...days }: RetentionInput): Promise<RetentionReport> {
  const { cleanImportData } = proxyActivities<Activities>({ ...STEP, taskQueue });
  const report = await cleanImportData(days);
  setCurrentDetails(`${report.staging_imports} batches and ${report.import_anomalies} anomalies deleted`);
  return report;
}
