/** The command line of Temporal's dev server with a persistent store. */
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../messages/attributes.ts';
import type { Ports } from './ports.ts';

export const temporalDatabase = (dir: string): string => join(dir, 'temporal.db');

/** SQLite's write-ahead log, synced at each commit: a workflow that was accepted outlives a kill and a power cut. */
export function temporalArguments(dir: string, ports: Pick<Ports, 'temporal' | 'ui'>): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal), '--ui-port', String(ports.ui)],
    ...['--db-filename', temporalDatabase(dir), '--namespace', 'default', '--log-level', 'warn'],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full'],
    ...Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}
