/** The environment variables that the configuration knows, read from its source: the schema itself is private. */
import { readFileSync } from 'node:fs';

export const projectFile = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

export function configVariables(): string[] {
  return [...projectFile('src/config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): [a-z]\w*\b/gm)].map(
    ([, name]) => name as string,
  );
}
