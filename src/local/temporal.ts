/** The command line of Temporal's dev server with a persistent store. */
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../messages/attributeNames.ts';
import type { Ports } from './ports.ts';
import type { UiPlace } from './uiFront.ts';

export const temporalDatabase = (dir: string): string => join(dir, 'temporal.db');

/** SQLite's write-ahead log, synced at each commit: a workflow that was accepted outlives a kill and a power cut. */
export function temporalArguments(dir: string, ports: Pick<Ports, 'temporal'>, ui: UiPlace): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal), '--ui-ip', ui.host],
    ...['--ui-port', String(ui.port)],
    // Its HTTP API stands at a port of its choice and takes what any page sends: it cannot be turned off, so no name is let in.
    ...['--dynamic-config-value', 'frontend.httpAllowedHosts=["none.invalid"]'],
    ...['--db-filename', temporalDatabase(dir), '--namespace', 'default', '--log-level', 'warn'],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full'],
    ...Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}
