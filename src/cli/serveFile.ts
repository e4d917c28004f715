/** A worker for the files of this host, for as long as a command needs one. */
import type { RunInput } from '../messages/run.ts';
import type { Call } from './command.ts';
import type { Session } from './session.ts';

/** Without the embedded stack: sees that somebody reads this host's files, if need be this process. @returns what ends that. */
export async function serveFile(
  { out, options }: Pick<Call<{ readonly detach?: boolean }>, 'out' | 'options'>,
  session: Session,
  { fileQueue, taskQueue }: Pick<RunInput, 'fileQueue' | 'taskQueue'>,
): Promise<() => Promise<void>> {
  const nothing = async () => undefined;
  if (session.stack) return nothing;
  const { isPolled } = await import('../temporal/pollers.ts');
  const client = await session.temporal();
  const [files, all] = await Promise.all([isPolled(client, fileQueue), isPolled(client, taskQueue, 'workflow')]);
  if (!all) out.note(`No worker polls task queue '${taskQueue}': it waits until one runs (intake worker)`);
  if (files) return nothing;
  if (options.detach) {
    out.note(`No worker reads the files of this host: it waits until one runs here (intake worker)`);
    return nothing;
  }
  const [{ startWorker }, { createLogger }] = await Promise.all([
    import('../worker.ts'),
    import('../observability/log.ts'),
  ]);
  const worker = await startWorker(session.config, createLogger(out.debug ? 'debug' : 'error'), 'files');
  return () => worker.shutdown();
}
