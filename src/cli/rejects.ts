/** `intake rejects`: the rejected rows of a run, to mend and import again. */
import type { Command } from 'commander';
import { addCommand, run, type Call, type CommonOptions } from './command.ts';
import { findRun } from './findRun.ts';
import { readRejects, writeRejects } from './rejectFile.ts';

interface Flags extends CommonOptions {
  readonly output?: string;
}

export function define(program: Command): void {
  addCommand(program, 'rejects', 'Write the rejected rows of a run, byte for byte', 'intake rejects 1f0c9a2e -o rejects.csv    # mend it, then: intake import plaintiffs rejects.csv --commit')
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .option('-o, --output <file>', 'write there instead of stdout')
    .action(run(rejectsCommand));
}

async function rejectsCommand({ args: [id], options, out, open }: Call<Flags>): Promise<void> {
  const session = await open();
  const found = await findRun(session, id);
  if (out.json && !options.output) {
    const rejects = [];
    for await (const { line, code, message } of readRejects(await session.backend(), found.id)) rejects.push({ line, code, message });
    return out.document({ run_id: found.id, rejects });
  }
  const codes = await writeRejects(session, found, options.output ?? process.stdout);
  const rows = Object.values(codes).reduce((sum, n) => sum + n, 0);
  if (options.output) {
    const kinds = Object.entries(codes).map(([code, n]) => `${code} ${n}`).join(', ');
    out.answer(`${rows} rejected rows of run ${found.id} written to ${options.output}${rows ? ` (${kinds})` : ''}`);
    if (rows > 0) out.detail(`  Mend them, then: intake import ${found.import_kind} ${options.output} --commit`);
  }
  out.document({ run_id: found.id, file: options.output, rows, codes });
}
