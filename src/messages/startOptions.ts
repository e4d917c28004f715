/** What each workflow is started with beside its input, whoever starts it: its id, queue, memo, summary and search attributes. */
import type { SearchAttributePair } from '@temporalio/common';
import { attributePairs } from './attributes.ts';
import type { AnyInput } from './imports.ts';
import type { MergeInput } from './merge.ts';
import { decidingOptions } from './options.ts';
import { pushIdOf, type PushInput } from './push.ts';

export interface StartOptions {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly memo: Readonly<Record<string, string>>;
  readonly staticSummary: string;
  readonly typedSearchAttributes: SearchAttributePair[];
}

export interface ImportStart {
  readonly workflowId: string;
  readonly input: AnyInput;
  /** Tells who started it from who found it running. */
  readonly starter: string;
  /** Of kinds whose source system is a tenant. */
  readonly tenant?: string | undefined;
}

export function importOptions({ workflowId, input, starter, tenant }: ImportStart): StartOptions {
  const { mode, kind, sourceSystem: source, filename, taskQueue } = input;
  return {
    workflowId,
    taskQueue,
    memo: {
      starter,
      options: JSON.stringify(decidingOptions(input)),
      ...(input.databaseId ? { databaseId: input.databaseId } : {}),
      ...(input.objects ? { objectsId: input.objects.id } : {}),
    },
    staticSummary: `${mode}: ${kind} from ${source}, ${filename}`,
    typedSearchAttributes: attributePairs({ kind, source, tenant, status: 'running' }),
  };
}

/** A tenant has one push at a time. */
export function pushOptions(
  input: PushInput,
  { starter, kind }: { starter: string; kind: string | undefined },
): StartOptions {
  const { tenantId: tenant, taskQueue, filename, fileHash } = input;
  return {
    workflowId: pushIdOf(tenant),
    taskQueue,
    memo: { starter, fileHash, filename },
    staticSummary: `push: ${filename} for ${tenant}`,
    typedSearchAttributes: attributePairs({ kind, tenant }),
  };
}

/** A batch of a tenant is merged once. */
export function mergeOptions({ tenantId: tenant, checksum, taskQueue }: MergeInput, kind: string): StartOptions {
  return {
    workflowId: `merge/${tenant}/${checksum}`,
    taskQueue,
    memo: {},
    staticSummary: `merge: projects of ${tenant}`,
    typedSearchAttributes: attributePairs({ kind, tenant }),
  };
}

/** What a schedule does otherwise, because somebody asked for it now. */
export const manualOptions = (workflowId: 'retention' | 'alert', taskQueue: string): StartOptions => ({
  workflowId,
  taskQueue,
  memo: {},
  staticSummary: `${workflowId} by hand`,
  typedSearchAttributes: [],
});
