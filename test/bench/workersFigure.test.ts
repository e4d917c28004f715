import { strict as assert } from 'node:assert';
import { drawWorkers } from '../../bench/workersFigure.ts';

describe('the figure of many workers', () => {
  const points = [1, 2, 4].map((workers) => ({ workers, parse: workers * 5000, upsert: 18_000, whole: 20_000 }));
  const svg = drawWorkers(points, 0.15);

  it('has a line for each phase through all numbers of workers', () => {
    const lines = [...svg.matchAll(/<polyline [^>]*points="([^"]+)"/g)].map(([, at]) => at!.split(' ').length);
    assert.deepEqual(lines, [3, 3, 3]);
    assert.match(svg, /each worker runs 15% of the time/);
  });

  it('names lines that end at one place one below the other', () => {
    const at = [...svg.matchAll(/y="([\d.]+)" text-anchor="start" fill="#(?!777)/g)].map(([, y]) => Number(y));
    assert.equal(at.length, 3);
    assert.ok(at.every((y, i) => i === 0 || y - at[i - 1]! >= 14));
  });
});
