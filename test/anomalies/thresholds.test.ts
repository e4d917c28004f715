import { strict as assert } from 'node:assert';
import type { AnomalyCount } from '../../src/database/rows.ts';
import { assess } from '../../src/anomalies/thresholds.ts';

const of = (type: string, count: number, tenant = 'A'): AnomalyCount => ({
  tenant_id: tenant,
  anomaly_type: type,
  severity: type === 'UNKNOWN_DELIVERY_PARTNER' ? 'warning' : 'error',
  count,
  most_recent: '',
});
const partners = (count: number, tenant?: string): AnomalyCount => of('UNKNOWN_DELIVERY_PARTNER', count, tenant);

describe('thresholds of alerts', () => {
  const level = (...windows: AnomalyCount[][]): string => assess({ windows, day: [] }).level;
  const rules = (windows: AnomalyCount[][], day: AnomalyCount[] = []): unknown[] =>
    assess({ windows, day }).reasons.map(({ rule, count, tenant_id }) => [rule, count, tenant_id]);

  it('alert at 5 anomalies of any kind and tenant, or at 2 errors UNKNOWN_DS and UNKNOWN_RM', () => {
    assert.equal(level([partners(4)]), 'none');
    assert.equal(level([partners(2), partners(3, 'B')]), 'alert');
    assert.equal(level([of('UNKNOWN_DS', 1)]), 'none');
    assert.equal(level([of('UNKNOWN_DS', 1), of('UNKNOWN_RM', 1, 'B')]), 'alert');
    assert.equal(level([of('DUPLICATE_ROW', 4)]), 'none');
    assert.deepEqual(rules([[of('UNKNOWN_DS', 6)]]), [
      ['ANOMALIES', 6, undefined],
      ['MAPPING_ERRORS', 6, undefined],
    ]);
  });

  it('escalate at the third window in a row, whatever it was for, and not at the second or after a break', () => {
    const [spike, errors] = [[partners(5)], [of('UNKNOWN_RM', 2)]];
    assert.equal(level(spike, errors, []), 'alert');
    assert.equal(level(spike, errors, spike), 'escalation');
    assert.equal(level(spike, [], spike, spike), 'alert');
    assert.equal(level([], spike, spike, spike), 'none');
    assert.deepEqual(rules([spike, errors, spike]).at(-1), ['CONSECUTIVE_WINDOWS', 3, undefined]);
  });

  it('escalate at more than 10 DS and RM failures of one tenant in 24 hours, naming it', () => {
    assert.deepEqual(
      rules(
        [[of('UNKNOWN_RM', 1)]],
        [of('UNKNOWN_DS', 5), of('UNKNOWN_RM', 5), of('UNKNOWN_DS', 9, 'B'), partners(50, 'B')],
      ),
      [],
    );
    const day = [of('UNKNOWN_DS', 5), of('UNKNOWN_RM', 6), of('UNKNOWN_DS', 9, 'B')];
    const windows = [[of('UNKNOWN_RM', 1)]];
    assert.deepEqual(rules(windows, day), [['TENANT_MAPPING_ERRORS', 11, 'A']]);
    assert.equal(assess({ windows, day }).level, 'escalation');
  });

  it('do not tell of them again in each window of the next 24 hours', () => {
    const day = [of('UNKNOWN_DS', 11), of('UNKNOWN_DS', 3, 'B')];
    assert.deepEqual(rules([[]], day), []);
    assert.deepEqual(rules([[of('UNKNOWN_DS', 1, 'B'), partners(1)]], day), []);
  });
});
