/** The logs of the stack's parts: what one says since a moment, and what of it is the cause. */
import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { CHILDREN, logFile } from './state.ts';
import type { LogName } from './state.ts';

const LARGE = 10 * 1024 * 1024;
/** As much of a log is read; a part that keeps ending repeats itself. */
const READ = 4 * 1024 * 1024;
const CAUSE =
  /\b(?:FATAL|PANIC)\b|\b(?:error|[A-Z]\w*Error|ERROR)\b.{0,5}:|\bERROR in\b|^#\s*Fatal|\b(?:panic|fatal):|"level":"?(?:50|60|error|fatal)/;

/** Sizes of the logs: what comes after is of this start. */
export type LogMarks = Readonly<Partial<Record<LogName, number>>>;

const LOGS: readonly LogName[] = [...CHILDREN, 'supervisor', 'initdb'];

export const markLogs = (dir: string): LogMarks =>
  Object.fromEntries(LOGS.map((name) => [name, statSync(logFile(dir, name), { throwIfNoEntry: false })?.size ?? 0]));

/** Puts a large log aside. */
export function rotateLogs(dir: string): void {
  for (const name of LOGS) {
    const path = logFile(dir, name);
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGE) renameSync(path, `${path}.1`);
  }
}

/** The end of a log from an offset on; empty when there is none. */
export function readSince(path: string, offset: number): string {
  if (!existsSync(path)) return '';
  const size = statSync(path).size;
  const start = offset > size ? 0 : Math.max(offset, size - READ);
  const bytes = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}

/** The first line that says what went wrong, else the last one; cut to what a terminal shows. */
export function causeIn(path: string, offset = 0): string {
  const lines = readSince(path, offset)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return shorten(lines.find((line) => CAUSE.test(line)) ?? lines.at(-1) ?? '');
}

/** Without the time in front; of a log line in JSON its message. */
function shorten(line: string): string {
  const message = /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return (message ?? line).replace(/^[\d-]+ [\d:.]+ [A-Z]+ \[\d+\] /, '').slice(0, 300);
}
