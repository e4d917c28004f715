/** `intake worker`: a worker in the foreground, for its host's files and everybody's work. */
import type { Command } from 'commander';
import { react } from '../interrupt.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';

export function define(program: Command): void {
  addCommand(program, 'worker', 'Run a worker until it is stopped', 'intake worker --env prod').action(
    run(workerCommand),
  );
}

async function workerCommand({ out, open }: Call<CommonOptions>): Promise<void> {
  const { config } = await open({ creates: true });
  const [{ startWorker }, { createLogger }] = await Promise.all([
    import('../../worker.ts'),
    import('../../observability/log.ts'),
  ]);
  const worker = await startWorker(config, createLogger(out.debug ? 'debug' : config.logLevel));
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    out.note('Stopping when the running steps have ended');
    void worker.shutdown();
  };
  react(stop);
  process.on('SIGTERM', stop);
  await worker.done;
}
