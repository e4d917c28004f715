/** `--debug-log`: every step of an import as a line of JSON on stderr, redacted as all logs are. */
import { createLogger } from '../../observability/log.ts';
import type { ImportReport, PhaseState } from '../../messages/imports.ts';
import type { View } from './view.ts';

/** Logs what changes in a report; `view` shows it besides. */
export function createDebugLog(workflowId: string, view?: View): View {
  const log = createLogger('debug').child({ workflow: workflowId });
  const before = new Map<string, string>();
  return {
    show(report: ImportReport, activity) {
      for (const [phase, state] of Object.entries(report.phases) as [string, PhaseState][]) {
        const { status, done, total, failed, skipped, seconds } = state;
        const line = JSON.stringify([status, done]);
        if (before.get(phase) === line) continue;
        before.set(phase, line);
        log.debug(
          { phase, status, done, total, failed, skipped, seconds, counts: report.counts },
          `${phase} ${status}`,
        );
      }
      view?.show(report, activity);
    },
    close: () => view?.close(),
  };
}
