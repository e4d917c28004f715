/** Which Intake a stack is of: what restarts an older one that runs, and keeps older code off newer data. */
import { readFileSync, readdirSync } from 'node:fs';

export interface Release {
  readonly version: string;
  /** The last migration it brings. */
  readonly schema: string;
}

let own: Release | undefined;

/** This program's. */
export function ownRelease(): Release {
  if (own) return own;
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const migrations = readdirSync(new URL('../../supabase/migrations/', import.meta.url)).filter((name) =>
    /^\d+_.+\.sql$/.test(name),
  );
  own = { version, schema: migrations.sort().at(-1)?.split('_')[0] ?? '' };
  return own;
}

/** Below 0: `one` is older than `other`; 0: the same. What says no version is from before versions were kept. */
export function compareReleases(one: Partial<Release>, other: Release): number {
  return compareVersions(one.version ?? '', other.version) || (one.schema ?? '').localeCompare(other.schema, 'en');
}

export const nameOf = ({ version, schema }: Partial<Release>): string =>
  version ? `${version} (schema ${schema})` : '0.3.0 or older';

function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(/[.+-]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i += 1) if (a![i] !== b![i]) return (a![i] ?? 0) - (b![i] ?? 0);
  return 0;
}
