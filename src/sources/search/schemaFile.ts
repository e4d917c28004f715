/** The published JSON Schema of a search result, as it is in its file; its validators are in `searchSchema.ts`. */
import { readFileSync } from 'node:fs';

export function readSearchSchema(): { readonly $id: string } {
  return JSON.parse(readFileSync(new URL('../../../schemas/search-results.schema.json', import.meta.url), 'utf8')) as {
    $id: string;
  };
}
