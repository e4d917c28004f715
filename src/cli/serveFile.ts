/** A worker for the files of this host, for as long as a command needs one. */
import type { RunInput } from '../messages/run.ts';
import type { Call } from './command.ts';
import type { Session } from './session.ts';

/** Who reads the files of an import while a command waits for it. */
export interface FileServer {
  /** Whether it is this process, and nobody else. */
  readonly own: boolean;
  stop(): Promise<void>;
}

const OTHERS: FileServer = { own: false, stop: async () => undefined };

/** Without the embedded stack: sees that somebody reads this host's files, if need be this process. */
export async function serveFile(
  { out, options }: Pick<Call<{ readonly detach?: boolean }>, 'out' | 'options'>,
  session: Session,
  { fileQueue, taskQueue }: Pick<RunInput, 'fileQueue' | 'taskQueue'>,
): Promise<FileServer> {
  if (session.stack) return OTHERS;
  const [{ isPolled }, { hostQueue }, client] = await Promise.all([
    import('../temporal/pollers.ts'),
    import('../temporal/queues.ts'),
    session.temporal(),
  ]);
  const [files, all] = await Promise.all([isPolled(client, fileQueue), isPolled(client, taskQueue, 'workflow')]);
  if (!all) out.note(`No worker polls task queue '${taskQueue}': it waits until one runs (intake worker)`);
  if (files) return OTHERS;
  if (fileQueue !== hostQueue(session.config.taskQueue, session.config.host)) {
    out.note(`No worker reads the files of its host (task queue '${fileQueue}'): it waits until one runs there`);
    return OTHERS;
  }
  if (options.detach) {
    out.note(`No worker reads the files of this host: it waits until one runs here (intake worker)`);
    return OTHERS;
  }
  const [{ startWorker }, { createLogger }] = await Promise.all([
    import('../worker.ts'),
    import('../observability/log.ts'),
  ]);
  const worker = await startWorker(session.config, createLogger(out.debug ? 'debug' : 'error'), {
    only: 'files',
  });
  return { own: true, stop: () => worker.shutdown() };
}
