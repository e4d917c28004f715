/** `intake cancel`: stops a running import and waits until its run is failed. */
import { shellWord } from '../../values/text.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { importResult } from '../../imports/follow.ts';
import { cancelImport, endStanding } from '../../runs/cancel.ts';
import { workflowOf } from '../../runs/findRun.ts';
import { standstillOf } from '../../temporal/standstill.ts';
import { sayWhenInterrupted } from '../interrupt.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';

const LOOK_MS = 3000;

export function define(program: Command): void {
  addCommand(program, 'cancel', 'Stop a running import', 'intake cancel 1f0c9a2e')
    .argument('<id>', 'the run, or the first 8 digits of its id; or a workflow id')
    .action(run(cancelCommand));
}

async function cancelCommand({ args: [id], out, open }: Call<CommonOptions>): Promise<number> {
  const session = await open();
  const target = await workflowOf(session, id);
  const { workflowId, run: found } = target;
  const title = found ? `Run ${found.id}` : workflowId;
  const { handle, status: first } = await cancelImport(session, target);
  let status: string = first;
  if (first === 'asked') {
    sayWhenInterrupted(`it is being cancelled. Watch it: intake runs watch ${shellWord(workflowId)}`);
    out.note(`Cancelling ${title}; waiting until its running steps have ended`);
    const over = new AbortController();
    const ended = importResult(handle, () => out.note('Temporal does not answer; waiting for it'));
    status = await Promise.race([ended.then((report) => report.status), standing(over.signal)]).finally(() =>
      over.abort(),
    );
  }
  /** It may come to stand still only now: nobody hears that it was cancelled. */
  async function standing(signal: AbortSignal): Promise<string> {
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return first;
      const found = await standstillOf(handle).catch(() => undefined);
      if (found) return endStanding(session, handle, target.run, found);
    }
  }

  out.document({ run_id: found?.id ?? null, workflow_id: workflowId, status });
  const cancelled = status === 'cancelled';
  out.answer(cancelled ? `${title} is cancelled` : `${title} ended as ${status} before it could be cancelled`);
  if (cancelled && found)
    out.detail(`  Go on with it: intake resume ${found.id} - withdraw it: intake rollback ${found.id} --reason TEXT`);
  return cancelled ? 0 : 1;
}
