/** The style sheet and the script of the dashboard, under names that change with their content. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Context } from 'hono';
import { KINDS } from '../../kinds/index.ts';

const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' } as const;
const FOREVER = 'public, max-age=31536000, immutable';

interface Asset {
  readonly url: string;
  readonly type: string;
  readonly text: string;
}

/** The colours of kinds in charts, as they say themselves. */
const kindColours = (page: 'light' | 'dark'): string =>
  KINDS.map(({ name, colour }) => `.kind-${name} { fill: ${colour[page]}; }`).join(' ');
const KIND_COLOURS = `${kindColours('light')}\n@media (prefers-color-scheme: dark) { ${kindColours('dark')} }\n`;

function readAsset(name: string, extension: keyof typeof TYPES, more = ''): Asset {
  const text = readFileSync(new URL(`../../../assets/${name}.${extension}`, import.meta.url), 'utf8') + more;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { url: `/assets/${name}-${hash}.${extension}`, type: TYPES[extension], text };
}

export const ASSETS = {
  style: readAsset('dashboard', 'css', KIND_COLOURS),
  script: readAsset('dashboard', 'js'),
  icon: readAsset('icon', 'svg'),
} as const;

/** Undefined for a name that is none, such as one of a former version. */
export function serveAsset(c: Context): Response | undefined {
  const asset = Object.values(ASSETS).find(({ url }) => url === c.req.path);
  if (!asset) return undefined;
  return c.body(asset.text, 200, { 'content-type': asset.type, 'cache-control': FOREVER });
}
