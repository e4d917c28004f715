/**
 * Ctrl-C: the command ends at once, the work goes on, and the last line says how to get back to it. One handler for all
 * commands, from their first step on; who has begun something that lives on says what.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { asCalled } from './asCalled.ts';
import { exitWith } from './exit.ts';
import { printable } from '../observability/printable.ts';
import { shellWord } from '../values/text.ts';

type Reaction = () => void;

/** The last one counts. */
const reactions: Reaction[] = [];
/** What this process has started and does not end. */
let leaves: string | undefined;
let over = false;

/** Whether Ctrl-C is ending this process: then nothing else is worth a line. */
export const isInterrupted = (): boolean => over;

/** Ends with this line, which says what goes on. @returns what takes it back. */
export const sayWhenInterrupted = (line: string): (() => void) => react(() => end(`Interrupted: ${line}`));

/** Does this instead of ending the command. @returns what takes it back. */
export function react(reaction: Reaction): () => void {
  reactions.push(reaction);
  return () => {
    const at = reactions.lastIndexOf(reaction);
    if (at >= 0) reactions.splice(at, 1);
  };
}

/** From now on Ctrl-C also says that the stack stays up. */
export function leaveStackUp(dir: string): void {
  leaves = `What has started of the stack in ${dir} stays up; stop it: intake down --dir ${shellWord(dir)}`;
}

process.on('SIGINT', () => (reactions.at(-1) ?? (() => end('Interrupted.')))());

/** Ends the process with this line. */
function end(line: string): void {
  if (over) return; // a terminal and the launcher may both send it
  over = true;
  const said = asCalled(leaves ? `${line} ${leaves}` : line);
  process.stderr.write(`${process.stderr.isTTY ? '\n' : ''}${printable(said)}\n`);
  void exitWith(130);
}

interface Interrupted {
  /** What goes on, and how it is watched. */
  readonly what?: string;
  readonly watch?: string;
  /** Whether this process alone reads the files of its host: then it waits for another that does. */
  readonly servesFiles?: boolean;
}

/** To be called before the workflow starts: from then on it goes on, whenever Ctrl-C comes. @returns what ends the watch. */
export function onInterrupt(
  { workflowId }: Pick<WorkflowHandle, 'workflowId'>,
  { what = 'import', watch = `intake runs watch ${shellWord(workflowId)}`, servesFiles = false }: Interrupted = {},
): () => void {
  const stop = `stop it: intake cancel ${shellWord(workflowId)}`;
  return sayWhenInterrupted(
    servesFiles
      ? `nobody else reads the files of this host. The ${what} waits for the same command again, or for a worker here: intake worker - ${stop}`
      : `the ${what} goes on. Watch it: ${watch} - ${stop}`,
  );
}
