/** resolve: for kinds that match people by several keys - once per run, before upsert. */
import type { ImportInput } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';
import { renewClaim } from '../renewClaim.ts';

export interface ResolveRequest {
  readonly input: ImportInput;
  readonly stageId: string;
  /** Chunks that must be staged. */
  readonly chunks: number;
  readonly partitions: number;
  /** Null in a dry run. */
  readonly runId: string | null;
  readonly lease: number;
}

export const resolveActivity = ({ backend }: Deps) => ({
  /** Plans every staged row in one transaction; a second time is a look-up. Rows planned, people among them. */
  async resolve({
    input,
    stageId,
    chunks,
    partitions,
    runId,
    lease,
  }: ResolveRequest): Promise<{ rows: number; people: number; stageLost: boolean }> {
    const target = backend(input.backend);
    await renewClaim(target, runId);
    const {
      rows = 0,
      people = 0,
      stage_lost,
    } = await target.call('resolve_stage', {
      run_id: runId,
      lease,
      kind: input.kind,
      stage_id: stageId,
      chunks,
      partitions,
      options: { skip_jobs: input.options.skipJobs },
    });
    return { rows, people, stageLost: stage_lost ?? false };
  },
});
