import { strict as assert } from 'node:assert';
import { createGatewayMetrics } from '../../src/gateway/metrics.ts';
import { projectFile } from '../docs/environment.ts';

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly description: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

describe('metrics of the gateway', () => {
  const { registry } = createGatewayMetrics();
  const { panels, templating } = JSON.parse(projectFile('ops/grafana/intake-projects.json')) as Dashboard;
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const base = (name: string): string => (names.includes(name) ? name : name.replace(/_(bucket|sum|count)$/, ''));

  it('are all that the panels in ops/grafana ask for, on the page as on the panels', async () => {
    const page = await registry.metrics();
    const asked = new Set(
      [...queries, ...templating.list.map(({ query }) => JSON.stringify(query))].flatMap(
        (text) => text.match(/\b(intake|process|nodejs)_\w+/g) ?? [],
      ),
    );
    assert.ok(asked.size > 10);
    for (const name of asked) {
      assert.ok(names.includes(base(name)), name);
      assert.match(
        page,
        new RegExp(`^# TYPE ${base(name)} ${base(name) === name ? '(counter|gauge)' : 'histogram'}$`, 'm'),
        name,
      );
    }
  });

  it('have the labels that the panels choose by', async () => {
    const labels = new Map(
      (registry.getMetricsAsArray() as unknown as { name: string; labelNames: string[] }[]).map(
        ({ name, labelNames }) => [name, labelNames],
      ),
    );
    for (const query of queries) {
      for (const [, name, chosen] of query.matchAll(/\b((?:intake|process|nodejs)_\w+)\{([^}]*)\}/g)) {
        const used = [...chosen!.matchAll(/(\w+)[=!]/g)].map(([, label]) => label!).filter((label) => label !== 'job');
        assert.deepEqual(
          used.filter((label) => !labels.get(base(name!))!.includes(label)),
          [],
          query,
        );
      }
      for (const [, grouped] of query.matchAll(/\bby \(([^)]*)\)/g)) {
        const known = [...query.matchAll(/\bintake_\w+/g)].flatMap(([name]) => labels.get(base(name)) ?? []);
        assert.deepEqual(
          grouped!.split(', ').filter((label) => !['le', ...known].includes(label)),
          [],
          query,
        );
      }
    }
  });

  it('have panels for what the runbook wants: success rate, anomalies by type, membership changes per batch, latency', () => {
    const titles = panels.map(({ title }) => title);
    for (const title of [
      'Success rate',
      'Anomalies by type',
      'Membership changes per batch',
      'Latency of merges',
      'Latency of parsing',
    ])
      assert.ok(titles.includes(title), title);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    assert.ok(panels.every(({ description }) => description.length > 0));
  });

  it('have a line in docs/gateway.md each, and say nothing of imports, which workers count', () => {
    const own = names.filter((name) => name.startsWith('intake_'));
    assert.deepEqual(
      own.filter((name) => !projectFile('docs/gateway.md').includes(`\`${name}\``)),
      [],
    );
    assert.deepEqual(
      own.filter((name) => !name.startsWith('intake_gateway_')),
      [],
    );
  });
});
