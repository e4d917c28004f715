/** Alerts about anomalies: what the database says of a window, and the word to the webhook. */
import { alertPayload, anomalyStats, sendAlert } from '../../anomalies/alert.ts';
import { assess, CONSECUTIVE_WINDOWS } from '../../anomalies/thresholds.ts';
import type { BackendName } from '../../config.ts';
import type { AssessedAlert } from '../../messages/schedules.ts';
import type { Deps } from '../deps.ts';

export interface AlertRequest {
  readonly backend: BackendName;
  /** ISO; end of the window. */
  readonly until: string;
  readonly windowHours: number;
  readonly id: string;
}

const HOUR_MS = 3_600_000;

export const anomaliesActivities = ({ backend, config, log }: Deps) => ({
  /** From the database alone: a worker that restarts, or comes late, comes to the same answer. */
  async assessAnomalies({ backend: name, until: end, windowHours, id }: AlertRequest): Promise<AssessedAlert> {
    const until = new Date(end);
    const before = (hours: number): Date => new Date(until.getTime() - hours * HOUR_MS);
    const windows = await Promise.all(
      Array.from({ length: CONSECUTIVE_WINDOWS }, (_, i) =>
        anomalyStats(backend(name), before((i + 1) * windowHours), before(i * windowHours)),
      ),
    );
    const day = await anomalyStats(backend(name), before(24), until);
    return { id, ...assess({ windows, day }), ...alertPayload(windows[0]!, { since: before(windowHours), until }) };
  },

  /** @returns false when no webhook is configured. */
  async sendAlert(alert: AssessedAlert): Promise<boolean> {
    const { webhook, allowPrivate } = config.alerts;
    if (webhook === undefined) return false;
    await sendAlert({ webhook, allowPrivate }, alert, alert.reasons, log);
    return true;
  },
});
