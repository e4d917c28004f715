/** What a database lacks although its migrations are recorded: somebody dropped it, or restored a part. */
import type { ClientBase } from 'pg';
import { BUCKET } from './backend.ts';
import { FUNCTIONS } from './functions.ts';
import type { Health } from './rows.ts';
import { hasFunction } from './schemaCache.ts';

/** Runbook 002's, for other importers than Intake. */
const RUNBOOK = ['claim_import_run', 'finalize_import_run'];

/** Functions that Intake or a runbook calls, or a kind needs, and that are not there. */
export const missingFunctions = ({ functions, missing }: Pick<Health, 'functions' | 'missing'>): string[] => [
  ...[...Object.keys(FUNCTIONS), ...RUNBOOK].filter((name) => !(name in functions)),
  ...missing,
];

/** Functions with other arguments than Intake gives them. */
export const otherFunctions = (health: Pick<Health, 'functions'>): string[] =>
  Object.keys(FUNCTIONS).filter((name) => name in health.functions && !hasFunction(health, name));

/** @param kinds that are to be registered. */
export async function isDamaged(client: ClientBase, kinds: readonly string[] = []): Promise<boolean> {
  const { rows } = await client.query<{ health: boolean; storage: boolean }>(
    "select to_regprocedure('ingest.health()') is not null as health, to_regclass('storage.buckets') is not null as storage",
  );
  if (!rows[0]?.health) return true;
  const { rows: found } = await client.query<{ health: Health }>('select ingest.health() as health');
  const { health } = found[0]!;
  if (missingFunctions(health).length + otherFunctions(health).length > 0) return true;
  if (kinds.some((kind) => !health.kinds.includes(kind))) return true;
  if (!rows[0].storage) return false;
  const { rowCount } = await client.query('select from storage.buckets where id = $1', [BUCKET]);
  return rowCount === 0;
}
