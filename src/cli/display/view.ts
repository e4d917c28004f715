/** What shows a running import. */
import type { ImportReport } from '../../messages/imports.ts';
import type { ActivityProgress } from './activityProgress.ts';

export interface View {
  /** @param activity what the one running activity says of its progress, if it says anything. */
  show(report: ImportReport, activity: ActivityProgress | undefined): void;
  close(): void;
}
