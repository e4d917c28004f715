/** Deletes old batches and anomalies, their counts by day stay (runbook 003, retention), and what old runs have landed where that is asked for. */
import { setCurrentDetails } from '@temporalio/workflow';
import { activityProxies } from '../policies.ts';
import { placeIn } from '../../messages/place.ts';
import type { RetentionInput, RetentionReport } from '../../messages/schedules.ts';

export async function retention({ taskQueue, runDays, ...days }: RetentionInput): Promise<RetentionReport> {
  const { anyWorker } = activityProxies({ taskQueue });
  const report = await anyWorker.cleanImportData(days);
  const retired = runDays && (await anyWorker.retireRuns({ ...placeIn(days), backend: days.backend, runDays }));
  const rows = retired ? `, ${retired.landed_rows} landed rows of ${retired.runs} runs` : '';
  setCurrentDetails(`${report.staging_imports} batches and ${report.import_anomalies} anomalies${rows} deleted`);
  return retired ? { ...report, retired } : report;
}
