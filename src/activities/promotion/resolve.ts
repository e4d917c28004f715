/** resolve: for kinds that match people by several keys - once per run, before upsert. */
import type { ImportInput, MatchNumbers } from '../../messages/imports.ts';
import type { Remarks } from '../../messages/remarks.ts';
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

export interface Resolved {
  readonly rows: number;
  readonly people: number;
  readonly stageLost: boolean;
  readonly match?: MatchNumbers;
  readonly remarks?: Remarks;
}

export const resolveActivity = ({ backend }: Deps) => ({
  /** Plans every staged row in one transaction; a second time is a look-up. Rows planned, people among them. */
  async resolve({ input, stageId, chunks, partitions, runId, lease }: ResolveRequest): Promise<Resolved> {
    const target = backend(input.backend);
    await renewClaim(target, runId);
    const {
      rows = 0,
      people = 0,
      stage_lost,
      match,
      remarks,
    } = await target.call('resolve_stage', {
      run_id: runId,
      lease,
      kind: input.kind,
      stage_id: stageId,
      chunks,
      partitions,
      options: { skip_jobs: input.options.skipJobs, match: input.options.match ?? 'names' },
    });
    return {
      rows,
      people,
      stageLost: stage_lost ?? false,
      ...(match ? { match } : {}),
      ...(remarks ? { remarks } : {}),
    };
  },
});
