/** How far PostgreSQL is with the log that it applies after a crash. Its work is kept only when it gets to the end. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readSince } from './logs.ts';

const SEGMENT = 16 * 1024 * 1024;

/** One line for who waits, from the server's log and its write-ahead log. */
export function recoveryProgress(dataDir: string, log: string): string {
  const words = readSince(log, 0).split(/redo starts at /);
  const text = words.at(-1) ?? '';
  const start = words.length > 1 ? position(/^([\dA-F]+\/[\dA-F]+)/.exec(text)?.[1]) : undefined;
  const now = position([...text.matchAll(/current LSN: ([\dA-F]+\/[\dA-F]+)/g)].at(-1)?.[1]);
  const end = endOfLog(dataDir);
  const share = start !== undefined && now !== undefined && end > start ? (now - start) / (end - start) : 0;
  return `PostgreSQL recovers from a crash: ${Math.min(99, Math.floor(share * 100))}% (it may take minutes; nothing is lost)`;
}

/** About where the log ends: after the segment that was written last. Segments made in advance are older. */
function endOfLog(dataDir: string): number {
  const folder = join(dataDir, 'pg_wal');
  let last = { at: 0, name: '' };
  try {
    for (const name of readdirSync(folder).filter((file) => /^[\dA-F]{24}$/.test(file))) {
      const at = statSync(join(folder, name)).mtimeMs;
      if (at > last.at || (at === last.at && name > last.name)) last = { at, name };
    }
  } catch {
    return 0; // the server moves them meanwhile
  }
  if (last.name === '') return 0;
  const [high, low] = [last.name.slice(8, 16), last.name.slice(16)].map((digits) => Number.parseInt(digits, 16));
  return high! * 2 ** 32 + (low! + 1) * SEGMENT;
}

function position(lsn: string | undefined): number | undefined {
  if (lsn === undefined) return undefined;
  const [high, low] = lsn.split('/').map((digits) => Number.parseInt(digits, 16));
  return high! * 2 ** 32 + low!;
}
