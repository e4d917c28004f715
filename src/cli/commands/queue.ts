/** `intake queue`: the jobs that imports queued and nobody has taken yet (runbook 000). */
import { Option, type Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands } from '../subcommands.ts';
import { findRun } from '../../runs/findRun.ts';
import { renderTable } from '../display/table.ts';

interface Flags extends CommonOptions {
  readonly run?: string;
  readonly queue?: string;
  readonly limit: number;
}

const COLUMNS = ['queue', 'message_id', 'kind', 'run_id', 'judgment_id', 'enqueued_at', 'read_ct'];

export function define(program: Command): void {
  const ofRun = new Option('--run <id>', 'only jobs of this run, or the first 8 digits of its id');
  const queue = new Option('--queue <name>', 'only this queue').choices(['enrich', 'enforce']);
  const limit = new Option('--limit <n>', 'at most so many').argParser(parseLimit).default(100);
  addSubcommands<Flags>(addCommand(program, 'queue', 'List or delete the queued jobs of runs', 'intake queue'), {
    list: {
      summary: 'List queued jobs',
      options: [ofRun, queue, limit],
      example: 'intake queue list --run 1f0c9a2e --queue enrich',
      body: list,
      lists: true,
      isDefault: true,
    },
    purge: {
      summary: 'Delete the jobs of a run that nobody has read, from all queues',
      options: [ofRun],
      example: 'intake queue purge --run 1f0c9a2e',
      body: purge,
    },
  });
}

async function list({ options, out, open }: Call<Flags>): Promise<void> {
  const session = await open();
  const found = options.run === undefined ? null : await findRun(session, options.run);
  const jobs = await (
    await session.backend()
  ).call('list_jobs', { run_id: found?.id ?? null, queue: options.queue ?? null, max_rows: options.limit });
  out.document(jobs);
  if (jobs.length === 0) out.detail('No jobs are queued.');
  else for (const line of renderTable(jobs, COLUMNS)) out.answer(line);
  if (jobs.length === options.limit) out.detail(`  There may be more: --limit ${options.limit * 10}`);
}

async function purge({ options, out, open }: Call<Flags>): Promise<void> {
  if (options.run === undefined)
    throw new IntakeError('USAGE', 'Whose jobs?', { remedy: 'Write intake queue purge --run ID.' });
  const session = await open();
  const { id } = await findRun(session, options.run);
  const { deleted, read_already, gone } = await (await session.backend()).call('purge_jobs', { run_id: id });
  out.document({ run_id: id, deleted, read_already, gone });
  out.answer(
    `Deleted ${deleted} jobs of run ${id}; ${read_already} stay because somebody has read them, ${gone} were gone`,
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new IntakeError('USAGE', '--limit is a positive number');
  return limit;
}
