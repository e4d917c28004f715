/** `intake resume`: goes on with a failed, cancelled or silent run where it stopped. */
import type { Command } from 'commander';
import { workflowIdOf } from '../../imports/request.ts';
import type { Run } from '../../database/rows.ts';
import { conditionOf } from '../../runs/condition.ts';
import { findRun } from '../../runs/findRun.ts';
import { resumedInput } from '../../runs/resume.ts';
import { restart } from '../../temporal/standstill.ts';
import type { Session } from '../session.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { follow } from './import.ts';
import type { ImportFacts } from '../display/importDocument.ts';
import { withTexts } from '../display/withTexts.ts';
import { printImport } from '../display/importMetadata.ts';
import { exitCodeOf, summarize } from '../display/importSummary.ts';

interface Flags extends CommonOptions {
  readonly detach?: boolean;
  readonly restart?: boolean;
}

export function define(program: Command): void {
  addCommand(program, 'resume', 'Resume a failed or cancelled run', 'intake resume 1f0c9a2e')
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .option('--detach', 'start it and return')
    .option('--restart', 'begin a workflow that cannot go on again; what is done stays done')
    .action(run(resumeCommand));
}

async function resumeCommand(call: Call<Flags>): Promise<number> {
  const {
    args: [id],
    options,
    out,
  } = call;
  const session = await call.open();
  const found = await findRun(session, id);
  const begun = resumedInput(found);
  if (options.restart) await restartOf(session, found, workflowIdOf(begun), out.note);
  const { input, report } = await withTexts(session, { input: begun, report: await follow(call, session, begun) });
  const facts: ImportFacts = {
    request: { kind: input.kind, path: input.path, mode: input.mode },
    input,
    workflowId: workflowIdOf(input),
    target: session.targetOf(input.backend),
  };
  await printImport(out, session, facts, report);
  if (options.detach && report.status === 'running') return 0;
  return out.json ? exitCodeOf(report) : summarize(out, facts, report);
}

/** Begins the running workflow of a run anew; where none runs, the run is resumed as usual. */
async function restartOf(session: Session, run: Run, workflowId: string, note: (line: string) => void): Promise<void> {
  const condition = await conditionOf(session, run);
  if (!condition || condition.name === 'ORPHANED') return;
  await restart(await session.temporal(), workflowId);
  note('Its workflow begins again; what is done stays done');
}
