/** Keeps the claim of a long import (runbook 002: it goes stale after 30 minutes). */
import type { Backend } from '../database/backend.ts';

const EVERY_MS = 60_000;
const last = new Map<string, number>();

/** Called with every effect of a run; reaches the database once a minute. */
export async function renewClaim(backend: Backend, runId: string | null): Promise<void> {
  if (!runId) return;
  const now = Date.now();
  const before = last.get(runId) ?? 0;
  if (now - before < EVERY_MS) return;
  if (last.size > 1000) last.clear();
  last.set(runId, now);
  if (before > 0) await backend.call('heartbeat_import_run', { run_id: runId });
}
