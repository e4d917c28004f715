import { strict as assert } from 'node:assert';
import { load } from 'js-yaml';
import { createMetrics } from '../../src/observability/metrics.ts';
import { projectFile } from './environment.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { readonly summary: string };
    }[];
  }[];
}

describe('monitoring', () => {
  const page = projectFile('docs/monitoring.md');
  const rules = (load(projectFile('ops/prometheus/intake.rules.yml')) as Rules).groups.flatMap(({ rules }) => rules);
  let measured: string[];

  before(async () => {
    const { registry } = await createMetrics(async () => 0);
    measured = registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .filter((name) => name.startsWith('intake_'));
  });

  const named = (text: string) =>
    new Set([...text.matchAll(/\bintake_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')));

  it('has a line in docs/monitoring.md for every metric', () => {
    assert.deepEqual(
      measured.filter((name) => !page.includes(`| \`${name}\` |`)),
      [],
    );
  });

  it('names no metric that is not measured, in its page and in the alert rules', () => {
    for (const text of [page, ...rules.map(({ expr }) => expr)])
      assert.deepEqual(
        [...named(text)].filter((name) => !measured.includes(name)),
        [],
      );
  });

  it('has alert rules that say what to do', () => {
    assert.ok(rules.length > 3);
    for (const { alert, annotations } of rules) assert.match(annotations.summary, /[:;]/, alert);
  });
});
