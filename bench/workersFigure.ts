/** The figure of bench/workers.ts. */

/** Rows a second with so many workers. */
export interface WorkersPoint {
  readonly workers: number;
  readonly parse: number;
  readonly upsert: number;
  readonly whole: number;
}

const WIDTH = 640;
const HEIGHT = 340;
const LEFT = 70;
const RIGHT = 110;
const TOP = 40;
const BOTTOM = 50;
/** Told apart without colours, too, by their words at the right; legible on white and on black. */
const LINES = [
  { key: 'parse', colour: '#1f77b4' },
  { key: 'upsert', colour: '#d2691e' },
  { key: 'whole', colour: '#2e8b57' },
] as const;

/** An SVG: rows a second of the two long phases and of the whole import, by workers. */
export function drawWorkers(points: readonly WorkersPoint[], share: number): string {
  const most = Math.max(...points.flatMap((point) => LINES.map(({ key }) => point[key])));
  const step = 10 ** Math.floor(Math.log10(most)) / (most / 10 ** Math.floor(Math.log10(most)) < 4 ? 2 : 1);
  const top = Math.ceil(most / step) * step;
  const x = (i: number) => LEFT + (i * (WIDTH - LEFT - RIGHT)) / Math.max(1, points.length - 1);
  const y = (rate: number) => HEIGHT - BOTTOM - (rate / top) * (HEIGHT - TOP - BOTTOM);
  const text = (at: number, down: number, words: string, anchor = 'middle', colour = '#777') =>
    `<text x="${at.toFixed(1)}" y="${down.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;
  const grid = Array.from({ length: top / step + 1 }, (_, i) => i * step).flatMap((rate) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(rate).toFixed(1)}" y2="${y(rate).toFixed(1)}" stroke="#777" stroke-opacity="0.3"/>`,
    text(LEFT - 8, y(rate) + 4, rate.toLocaleString('en'), 'end'),
  ]);
  const lines = LINES.flatMap(({ key, colour }) => [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map((p, i) => `${x(i).toFixed(1)},${y(p[key]).toFixed(1)}`).join(' ')}"/>`,
    ...points.map((p, i) => `<circle cx="${x(i).toFixed(1)}" cy="${y(p[key]).toFixed(1)}" r="3" fill="${colour}"/>`),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>Rows a second by the number of workers</title>`,
    text(LEFT - 60, 20, `rows/s; each worker runs ${Math.round(share * 100)}% of the time`, 'start'),
    ...grid,
    ...points.map((p, i) => text(x(i), HEIGHT - BOTTOM + 20, String(p.workers))),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, 'workers'),
    ...lines,
    ...namesApart(points.at(-1)!, y).map(({ key, colour, at }) => text(WIDTH - RIGHT + 10, at, key, 'start', colour)),
    '</svg>',
    '',
  ].join('\n');
}

/** The words at the ends of the lines, none upon another. */
function namesApart(last: WorkersPoint, y: (rate: number) => number) {
  const names = LINES.map((line) => ({ ...line, at: y(last[line.key]) + 4 })).sort((a, b) => a.at - b.at);
  for (let i = 1; i < names.length; i++) names[i]!.at = Math.max(names[i]!.at, names[i - 1]!.at + 14);
  return names;
}
