/** Small directories of search results in the folder of the commands. */
import { join } from 'node:path';
import { png } from '../../bench/generators/png.ts';
import { bytesOf, licence, search } from '../sources/search/search.ts';
import { write } from '../sources/tree/tree.ts';
import type { Cli, Json } from './cli.ts';

export interface Scrape {
  readonly name?: string;
  readonly state?: string;
  readonly at?: string;
  /** One a licence. */
  readonly numbers?: readonly string[];
  readonly changes?: object;
  /** Seed of its image; null: the image it names is not there. */
  readonly image?: number | null;
}

/** Files below `name` by their paths without `_parse.json`. @returns the directory's name. */
export function scrapes(cli: Cli, name: string, files: Readonly<Record<string, Scrape | string>>): string {
  let seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1e6;
  for (const [path, file] of Object.entries(files)) {
    const json = `${path}_parse.json`;
    if (typeof file === 'string') {
      write(join(cli.folder, name), { [json]: file });
      continue;
    }
    const { state = 'FL', at = '2025-08-03T14:00:00', numbers = [path], changes = {}, image = seed++ } = file;
    const metadata = {
      pharmacy_name: file.name ?? path,
      state,
      search_timestamp: at,
      source_image_file: `/elsewhere/${path}.png`,
    };
    write(join(cli.folder, name), {
      [json]: bytesOf(
        search(
          numbers.map((license_number) => licence({ license_number, ...changes })),
          metadata,
        ),
      ),
      ...(image === null ? {} : { [`${path}.png`]: png(image, 1500) }),
    });
  }
  return name;
}

/** Imports such a directory and commits. */
export async function commitScrapes(cli: Cli, directory: string, tag: string, ...options: string[]): Promise<Json> {
  return (await cli.json('import', 'search-results', '--states-dir', directory, '--tag', tag, '--commit', ...options))
    .document;
}

/** Lets a process take its streams for a terminal. */
export const onTerminal = (...streams: ('stdout' | 'stderr')[]): NodeJS.ProcessEnv => ({
  TERM: 'xterm',
  NODE_OPTIONS: `--import=data:text/javascript,${streams.map((name) => `process.${name}.isTTY=true;process.${name}.columns=100;process.${name}.rows=40`).join(';')}`,
});
