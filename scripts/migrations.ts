/**
 * Program: `npm run migrations` writes supabase/migrations from supabase/schemas, one migration a domain with the same
 * content; `-- --check` only says whether they differ. Until version 0.5.0: see supabase/README.md.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { GENERATED } from '../src/database/migrations.ts';

const FOLDER = new URL('../supabase/', import.meta.url);
const MIGRATIONS = new URL('migrations/', FOLDER);
/** The day of the fold; the place in the order follows it. */
const DAY = '20261126';

/** Names of the files of supabase/schemas, in the order in which they are applied. */
export function domains(): string[] {
  const [, list = ''] =
    /^schema_paths = \[([^\]]*)\]/m.exec(readFileSync(new URL('config.toml', FOLDER), 'utf8')) ?? [];
  return [...list.matchAll(/"\.\/schemas\/(\w+)\.sql"/g)].map(([, name]) => name!);
}

export const schemaOf = (domain: string): string => readFileSync(new URL(`schemas/${domain}.sql`, FOLDER), 'utf8');

/** Contents of the migrations by their file names. */
export function generate(): Map<string, string> {
  return new Map(
    domains().map((domain, i) => [
      `${DAY}${String(i + 1).padStart(2, '0')}0000_${domain}.sql`,
      `${GENERATED} supabase/schemas/${domain}.sql by \`npm run migrations\`: edit that file, not this one.\n${schemaOf(domain)}`,
    ]),
  );
}

/** Names of files that are not as they would be generated: changed, missing, or left over. */
export function outdated(files = generate()): string[] {
  const present = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  const differs = [...files].filter(
    ([name, text]) => !present.includes(name) || readFileSync(new URL(name, MIGRATIONS), 'utf8') !== text,
  );
  return [...differs.map(([name]) => name), ...present.filter((name) => !files.has(name))];
}

function main(): void {
  const files = generate();
  const changed = outdated(files);
  for (const name of changed) {
    console.log(name);
    const text = files.get(name);
    if (process.argv.includes('--check')) process.exitCode = 1;
    else if (text === undefined) rmSync(new URL(name, MIGRATIONS));
    else writeFileSync(new URL(name, MIGRATIONS), text);
  }
}

if (process.argv[1] && basename(process.argv[1]) === basename(import.meta.url)) main();
