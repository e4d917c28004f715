/** Deletes old batches and anomalies of projects; run twice it finds nothing more. */
import type { RetentionInput, RetentionReport } from '../../messages/schedules.ts';
import type { Deps } from '../deps.ts';

export const retentionActivity = ({ backend }: Deps) => ({
  async cleanImportData({
    backend: name,
    importsDays,
    anomaliesDays,
  }: Omit<RetentionInput, 'taskQueue'>): Promise<RetentionReport> {
    return backend(name).call('clean_import_data', { imports_days: importsDays, anomalies_days: anomaliesDays });
  },
});
