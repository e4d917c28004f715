/** The command line of Temporal's dev server with a persistent store. */
import { join } from 'node:path';
import type { Ports } from './ports.ts';

/** What operators filter by in Temporal UI. */
const SEARCH_ATTRIBUTES = ['IntakeKind', 'IntakeSource', 'IntakeTenant', 'IntakeStatus'];

export const temporalDatabase = (dir: string): string => join(dir, 'temporal.db');

/** SQLite's write-ahead log, synced at each commit: a workflow that was accepted outlives a kill and a power cut. */
export function temporalArguments(dir: string, ports: Pick<Ports, 'temporal' | 'ui'>): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal), '--ui-port', String(ports.ui)],
    ...['--db-filename', temporalDatabase(dir), '--namespace', 'default', '--log-level', 'warn'],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full'],
    ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}
