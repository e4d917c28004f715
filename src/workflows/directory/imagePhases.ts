/** What is done with the images of a directory: hashed, then stored under their hashes. */
import type { Activities } from '../../activities/index.ts';
import type { DirectoryInput, TreePlan } from '../../messages/directory.ts';
import { runPhase } from '../promotion/progress.ts';
import type { AddSlice, DirectoryState, EachSlice, SliceWork } from './directoryState.ts';

interface ImagePhase {
  /** Otherwise planning knew all that the phase would find. */
  readonly needed: boolean;
  readonly work: SliceWork;
  readonly add: AddSlice;
  skip(): void;
}

export interface ImagePhasesOptions {
  readonly input: DirectoryInput;
  readonly state: DirectoryState;
  readonly fileHost: Activities;
  readonly eachSlice: EachSlice;
}

/** By a worker of an older version, which hashes them all the same. */
const NOT_TOLD = { done: 0, skipped: 0, failed: 0 };

export function imagePhases({ input, state, fileHost, eachSlice }: ImagePhasesOptions) {
  const { report } = state;
  return { store, sha256, upload };

  /** Both at once: an image is read once, for its hash and for storage. */
  async function store(): Promise<void> {
    if (report.phases.upload?.status === 'completed') return;
    const { images } = report.directory;
    const { images: total } = state.plan as TreePlan;
    await runPhase(
      report,
      'sha256',
      (hashing) =>
        runPhase(
          report,
          'upload',
          (uploading) =>
            eachSlice(
              'upload',
              uploading,
              (request) => fileHost.uploadSlice({ ...request, hash: true }),
              ({ done, skipped, failed, hashed = NOT_TOLD }) => {
                images.uploaded += done;
                images.skipped += skipped;
                images.hashed += hashed.done;
                images.cached += hashed.skipped;
                images.failed += failed + hashed.failed;
                hashing.done += hashed.done + hashed.skipped + hashed.failed;
                hashing.skipped += hashed.skipped;
                hashing.failed += hashed.failed;
                uploading.total = total - hashing.failed; // what could not be read is not uploaded either
              },
            ),
          total,
        ),
      total,
    );
  }

  /** Content hashes of all images; those known from an earlier run are not read again, but for a verification. */
  function sha256(): Promise<void> {
    const { images } = state.report.directory;
    const plan = state.plan as TreePlan;
    return imagePhase('sha256', {
      needed: plan.unhashed > 0 || input.mode === 'verify',
      work: fileHost.hashSlice,
      add({ done, skipped, failed }) {
        images.hashed += done;
        images.cached += skipped;
        images.failed += failed;
      },
      skip: () => (images.cached = plan.images),
    });
  }

  /** Content-addressed: what storage has is not sent again. */
  function upload(): Promise<void> {
    const { images } = state.report.directory;
    const plan = state.plan as TreePlan;
    return imagePhase('upload', {
      needed: plan.unhashed + plan.unstored > 0,
      work: fileHost.uploadSlice,
      add({ done, skipped, failed }) {
        images.uploaded += done;
        images.skipped += skipped;
        images.failed += failed;
      },
      skip: () => (images.skipped = plan.images - images.failed),
    });
  }

  /** `work` on the images of every slice; when there is nothing to do, the phase is done at once. */
  async function imagePhase(name: 'sha256' | 'upload', { needed, work, add, skip }: ImagePhase): Promise<void> {
    if (report.phases[name]?.status === 'completed') return;
    // What could not be read is not uploaded either.
    const total = (state.plan as TreePlan).images - (name === 'upload' ? (report.phases.sha256?.failed ?? 0) : 0);
    await runPhase(
      report,
      name,
      async (p) => {
        if (needed) return eachSlice(name, p, work, add);
        Object.assign(p, { done: total, skipped: total });
        skip();
      },
      total,
    );
  }
}
