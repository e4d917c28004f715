/** Ctrl-C: the command ends, the work goes on, and the last line says how to get back to it. */
import type { WorkflowHandle } from '@temporalio/client';
import { exitWith } from './exit.ts';
import type { Output } from './output.ts';

interface Interrupted {
  /** What goes on, and how it is watched. */
  readonly what?: string;
  readonly watch?: string;
  /** Whether this process alone reads the files of its host: then it waits for another that does. */
  readonly servesFiles?: boolean;
}

/** @returns what ends the watch for SIGINT. */
export function onInterrupt(
  out: Output,
  { workflowId }: Pick<WorkflowHandle, 'workflowId'>,
  { what = 'import', watch = `intake runs watch ${workflowId}`, servesFiles = false }: Interrupted = {},
): () => void {
  let told = false;
  const interrupted = (): void => {
    if (told) return; // a terminal and the launcher may both send it
    told = true;
    process.stderr.write(out.live ? '\n' : '');
    process.stderr.write(
      servesFiles
        ? `Interrupted: nobody else reads the files of this host. The ${what} waits for the same command again, or for a worker here: intake worker - stop it: intake cancel ${workflowId}\n`
        : `Interrupted: the ${what} goes on. Watch it: ${watch} - stop it: intake cancel ${workflowId}\n`,
    );
    void exitWith(130);
  };
  process.on('SIGINT', interrupted);
  return () => void process.off('SIGINT', interrupted);
}
