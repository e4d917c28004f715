/**
 * Named points at which tests kill the process. Armed by environment only: `INTAKE_FAILPOINTS=parse.before,upsert.after`
 * kills at the first pass of each; a marker file beside `INTAKE_FAILPOINTS_DIR` keeps a restarted worker from dying again.
 * `parse.after!` kills at every pass.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const armed = new Set((process.env.INTAKE_FAILPOINTS ?? '').split(',').filter(Boolean));

/** Kills a few milliseconds later: within the effect of the statement that the caller sends next. */
export function failpointSoon(name: string): void {
  if (armed.has(name) || armed.has(`${name}!`)) setTimeout(() => failpoint(name), 4);
}

export function failpoint(name: string): void {
  if (armed.has(name)) {
    const marker = join(process.env.INTAKE_FAILPOINTS_DIR ?? '.', `failpoint-${name}`);
    if (existsSync(marker)) return;
    writeFileSync(marker, '');
  } else if (!armed.has(`${name}!`)) return;
  process.kill(process.pid, process.env.INTAKE_FAILPOINTS_SIGNAL === 'SIGSTOP' ? 'SIGSTOP' : 'SIGKILL');
}
