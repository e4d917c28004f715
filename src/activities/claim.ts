/** claim: one owner for a batch; and what is known of a batch without claiming it. */
import { createHash } from 'node:crypto';
import { IntakeError } from '../errors.ts';
import type { Claim, Content, ImportInput, Plan } from '../workflows/messages.ts';
import type { Deps } from './deps.ts';
import { failpoint, failpointSoon } from './failpoints.ts';

export interface ClaimRequest {
  readonly input: ImportInput;
  readonly plan: Plan;
  readonly content: Content;
  readonly partitions: number;
  readonly workflowId: string;
  readonly token: string;
}

interface OpenedRun {
  readonly run_id: string;
  readonly claim_status: Claim['status'];
  readonly lease: number;
  readonly resumed?: boolean;
  readonly metadata?: { readonly plan?: { readonly partitions: number; readonly reading: string } };
  readonly filename?: string;
  readonly completed_at?: string;
  readonly storage_path?: string | null;
}

export const claimActivities = ({ backend }: Deps) => ({
  async claim({ input, plan, content, partitions, workflowId, token }: ClaimRequest): Promise<Claim> {
    failpoint('claim.before');
    const reading = readingOf(input, content);
    failpointSoon('claim.within');
    const run = await backend(input.backend).call<OpenedRun>('open_import_run', {
      source_system: input.sourceSystem,
      source_batch_id: input.batchId,
      file_hash: input.fileHash,
      filename: input.filename,
      import_kind: input.kind,
      worker_id: workflowId,
      claim_token: token,
      parent_run_id: plan.parentRunId ?? null,
      storage_path: content.storagePath,
      metadata: { batch_name: input.batchName, source_reference: input.sourceReference, plan: { partitions, reading }, input },
    });
    failpoint('claim.after');
    const inForce = run.metadata?.plan;
    if (run.claim_status === 'claimed' && inForce && inForce.reading !== reading) {
      throw new IntakeError('USAGE', 'The run had begun with other options (--map, --encoding, --delimiter, --date-order)', {
        remedy: `Give the same options, or roll run ${run.run_id} back first.`,
      });
    }
    return {
      status: run.claim_status,
      runId: run.run_id,
      lease: run.lease,
      resumed: run.resumed ?? false,
      partitions: inForce?.partitions ?? partitions,
      ...(run.claim_status === 'duplicate'
        ? { original: { filename: run.filename ?? '', completedAt: run.completed_at ?? '', storagePath: run.storage_path ?? null } }
        : {}),
    };
  },

  /** The finished run of the same batch, if any: a commit would be a duplicate of it. */
  async findRun(input: ImportInput): Promise<{ completedRunId: string | null }> {
    const found = await backend(input.backend).call<string | null>('find_completed_run', {
      source_system: input.sourceSystem, source_batch_id: input.batchId, file_hash: input.fileHash,
    });
    return { completedRunId: found };
  },
});

/** Options that decide what a row means; a run is finished with those it began with. */
function readingOf(input: ImportInput, content: Content): string {
  const { map, dateOrder } = input.options;
  const parts = [Object.entries(map).sort(), dateOrder, content.encoding, input.options.delimiter ?? ''];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
