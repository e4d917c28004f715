/** claim: one owner for a batch; and what is known of a batch without claiming it. */
import { createHash } from 'node:crypto';
import { IntakeError, unknownTenant } from '../../errors.ts';
import { BUCKET, type Backend } from '../../database/backend.ts';
import { csvKindNamed, directoryKindNamed, findKind } from '../../kinds/index.ts';
import { IMAGES_PATH, type DirectoryInput, type TreePlan } from '../../messages/directory.ts';
import type { AnyInput, Claim, Content, ImportInput, Plan } from '../../messages/imports.ts';
import { decidingOptions, differingOptions, rowOptions } from '../../messages/options.ts';
import type { RunInput } from '../../messages/run.ts';
import { removeManifest } from '../../staging/manifest.ts';
import type { Deps } from '../deps.ts';
import { removeOriginal } from '../removeOriginal.ts';

export interface ClaimRequest {
  readonly input: ImportInput;
  readonly plan: Plan;
  readonly content: Content;
  readonly partitions: number;
  readonly workflowId: string;
  readonly token: string;
}

export interface DirectoryClaimRequest {
  readonly input: DirectoryInput;
  readonly plan: TreePlan;
  readonly partitions: number;
  readonly workflowId: string;
  readonly token: string;
}

interface Opening {
  readonly fileHash: string;
  /** Names the options that decide what a row means; a run is finished with those it began with. */
  readonly reading: string;
  readonly partitions: number;
  readonly workflowId: string;
  readonly token: string;
  readonly storagePath: string;
  readonly parentRunId?: string | undefined;
  readonly more?: object;
}

export const claimActivities = ({ backend, config, workDir }: Deps) => ({
  async claim({ input, plan, content, partitions, workflowId, token }: ClaimRequest): Promise<Claim> {
    const { storagePath } = content;
    const { sourceSystem: tenant } = input;
    const knows = async (): Promise<boolean> =>
      config.projectsSecret(tenant) !== undefined ||
      (await backend(input.backend).call('tenant_exists', { tenant_id: tenant }));
    if (csvKindNamed(input.kind).sourceIsTenant && !(await knows())) throw unknownTenant(tenant);
    const opening = {
      fileHash: input.fileHash,
      reading: optionsHashOf(input, content),
      partitions,
      workflowId,
      token,
      storagePath,
      parentRunId: plan.parentRunId,
    };
    const claimed = await openRun(backend(input.backend), input, opening);
    // The import ends here, its stage is not begun.
    if (claimed.status !== 'claimed') await removeManifest(workDir, workflowId);
    return claimed;
  },

  /** The dataset of the tag, and the run that fills it. */
  async claimDirectory({
    input,
    plan,
    partitions,
    workflowId,
    token,
  }: DirectoryClaimRequest): Promise<{ claim: Claim; datasetId: number }> {
    const target = backend(input.backend);
    const datasetId = await target
      .call('open_dataset', { kind: directoryKindNamed(input.kind).dataset, tag: input.tag })
      .catch((cause: unknown) => {
        if (!(cause instanceof IntakeError) || cause.retryable) throw cause;
        throw new IntakeError(cause.code, `Dataset creation failed: ${cause.message}`, { cause, remedy: cause.remedy });
      });
    const opening = {
      fileHash: plan.treeHash,
      reading: 'directory',
      partitions,
      workflowId,
      token,
      storagePath: IMAGES_PATH,
      more: { dataset_id: datasetId, tag: input.tag, tree: plan },
    };
    const claim = await openRun(target, input, opening);
    // The run that has the batch has a list of its own.
    if (claim.status !== 'claimed') await removeOriginal(target.objects, `${BUCKET}/trees/${plan.layout}`);
    return { claim, datasetId };
  },

  /** The finished run of the same batch, if any: a commit would be a duplicate of it. */
  async findRun(input: ImportInput): Promise<{ completedRunId: string | null }> {
    const found = await backend(input.backend).call('find_completed_run', {
      source_system: input.sourceSystem,
      source_batch_id: input.batchId,
      file_hash: input.fileHash,
    });
    if (found !== null) await refuseOtherKind(backend(input.backend), found, input.kind);
    return { completedRunId: found };
  },
});

async function openRun(target: Backend, input: RunInput, opening: Opening): Promise<Claim> {
  const { fileHash, reading, partitions, workflowId, token, storagePath, parentRunId, more } = opening;
  const run = await target.call('open_import_run', {
    source_system: input.sourceSystem,
    source_batch_id: input.batchId,
    file_hash: fileHash,
    filename: input.filename,
    import_kind: input.kind,
    worker_id: workflowId,
    claim_token: token,
    parent_run_id: parentRunId ?? null,
    storage_path: storagePath,
    metadata: {
      batch_name: input.batchName,
      source_reference: input.sourceReference,
      plan: { partitions, reading },
      input,
      ...more,
    },
  });
  if (run.claim_status === 'options_differ') throw await optionsDiffer(target, run.run_id, input);
  const storedPlan = run.metadata?.plan;
  return {
    status: run.claim_status,
    runId: run.run_id,
    lease: run.lease,
    partitions: storedPlan?.partitions ?? partitions,
    ...(run.promoted ? { promoted: true } : {}),
    ...(run.parent_gone ? { parentGone: true } : {}),
    ...(run.claim_status === 'in_progress' ? { holder: await holderOf(target, run.run_id) } : {}),
    ...(run.claim_status === 'duplicate'
      ? {
          original: {
            filename: run.filename ?? '',
            completedAt: run.completed_at ?? '',
            storagePath: run.storage_path ?? null,
          },
        }
      : {}),
  };
}

async function holderOf(target: Backend, id: string): Promise<NonNullable<Claim['holder']>> {
  const [run] = await target.call('find_run', {
    id,
  });
  return { since: run?.claimed_at ?? run?.created_at ?? '', lastSeen: run?.updated_at ?? '' };
}

/** As a commit would be refused. */
async function refuseOtherKind(target: Backend, id: string, kind: string): Promise<void> {
  const [run] = await target.call('find_run', { id });
  if (!run || findKind(run.import_kind)?.name === kind) return;
  throw new IntakeError(
    'OPTIONS_DIFFER',
    `This batch belongs to run ${id} of kind ${run.import_kind}, and is not imported as ${kind}`,
    {
      remedy: 'If the file is to be imported as both, name another batch: --batch-id NAME',
    },
  );
}

/** What the run began with, beside what is asked for now. */
async function optionsDiffer(target: Backend, id: string, input: RunInput): Promise<IntakeError> {
  const [run] = await target.call('find_run', { id });
  const begun = run?.metadata.input;
  const differing = begun ? differingOptions(decidingOptions(begun), decidingOptions(input as AnyInput)) : '';
  return new IntakeError('OPTIONS_DIFFER', `Run ${id} of this batch had begun with other options: ${differing}`, {
    remedy: `Go on as it was begun: intake resume ${id}, or roll it back first: intake rollback ${id} --reason TEXT`,
  });
}

/** Names the options that decide what a row means; the first four as runs of older versions have them. */
function optionsHashOf(input: ImportInput, content: Content): string {
  const { map, dateOrder, delimiter } = input.options;
  const others = rowOptions(input).filter(([name]) => !['map', 'date-order', 'delimiter', 'encoding'].includes(name));
  const parts = [
    Object.entries(map).sort(),
    dateOrder,
    content.encoding,
    delimiter ?? '',
    ...(others.length > 0 ? [others.sort()] : []),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
