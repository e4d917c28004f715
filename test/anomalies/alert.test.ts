import { strict as assert } from 'node:assert';
import { alertOnCount, alertPayload } from '../../src/anomalies/alert.ts';
import type { AnomalyCount } from '../../src/database/rows.ts';
import type { Backend } from '../../src/database/backend.ts';

const [since, until] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-01T02:00:00Z')];
const entry = (
  tenant_id: string,
  anomaly_type: string,
  severity: AnomalyCount['severity'],
  count: number,
): AnomalyCount => ({ tenant_id, anomaly_type, severity, count, most_recent: '2026-01-01T01:00:00Z' });
const counts = [
  entry('A', 'UNKNOWN_DS', 'error', 3),
  entry('B', 'UNKNOWN_DS', 'error', 1),
  entry('A', 'DUPLICATE_ROW', 'info', 2),
  entry('__proto__', 'UNKNOWN_RM', 'error', 1),
];

describe('alerts about anomalies', () => {
  it('hold totals by tenant, type and severity, and nothing else', () => {
    assert.equal(
      JSON.stringify(alertPayload(counts, { since, until })),
      JSON.stringify({
        window: { since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T02:00:00.000Z' },
        total: 7,
        by_tenant: Object.fromEntries([
          ['A', 5],
          ['B', 1],
          ['__proto__', 1],
        ]),
        by_type: { DUPLICATE_ROW: 2, UNKNOWN_DS: 4, UNKNOWN_RM: 1 },
        by_severity: { error: 5, info: 2 },
      }),
    );
    assert.deepEqual(alertPayload([], { since, until }).by_tenant, {});
  });

  it('ask for the window that is configured, and for nothing when nobody listens', async () => {
    const asked: object[] = [];
    const backend = {
      call: async (fn: string, args: object) => (asked.push({ fn, ...args }), counts),
    } as unknown as Backend;
    const settings = { webhook: 'http://127.0.0.1:1/', windowHours: 2, minCount: 8, allowPrivate: false };
    assert.deepEqual(await alertOnCount(backend, settings, { until }), {
      outcome: 'below-threshold',
      document: alertPayload(counts, { since, until }),
    });
    assert.deepEqual(asked, [{ fn: 'count_anomalies', since: since.toISOString(), until: until.toISOString() }]);
    assert.deepEqual(await alertOnCount(backend, { ...settings, webhook: undefined }, { until }), {
      outcome: 'no-webhook',
      document: undefined,
    });
    assert.equal(asked.length, 1);
    await assert.rejects(alertOnCount(backend, { ...settings, minCount: 7 }, { until }), { code: 'WEBHOOK_REFUSED' });
  });
});
