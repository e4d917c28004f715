/** `intake rejects`: the rejected rows of a run, to mend and import again; of a directory its failed items. */
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Command } from 'commander';
import type { BackendName } from '../../config.ts';
import { kindNamed } from '../../kinds/index.ts';
import { refuseOverwrite } from '../requests/outputFile.ts';
import { mendCommand } from '../display/nextCommand.ts';
import { shellWord } from '../../values/text.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import type { Run } from '../../database/rows.ts';
import { spelledInput } from '../../imports/headers.ts';
import { speller } from '../../sources/csv/headerNames.ts';
import { findRun } from '../../runs/findRun.ts';
import { readItems, readRejects, writeRejects } from '../../runs/rejectFile.ts';
import type { Session } from '../session.ts';
import { requireTerminal, showValues } from '../display/showValues.ts';
import { printable } from '../../observability/printable.ts';

interface Flags extends CommonOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly showValues?: boolean;
}

export function define(program: Command): void {
  const example = [
    'intake rejects 1f0c9a2e -o rejects.csv    # mend it, then: intake import plaintiffs rejects.csv --commit',
    'intake rejects 1f0c9a2e --show-values',
  ].join('\n');
  addCommand(
    program,
    'rejects',
    'Write the rejected rows of a run, byte for byte; of a directory its failed items',
    example,
  )
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .option('-o, --output <file>', 'write there instead of stdout')
    .option('--force', 'overwrite that file')
    .option('--show-values', 'show the rejected records themselves; on a terminal only')
    .action(run(rejectsCommand));
}

async function rejectsCommand({ args: [id], options, out, open }: Call<Flags>): Promise<void> {
  if (options.showValues) requireTerminal(out, options.output);
  const session = await open();
  const found = await findRun(session, id);
  if (options.output)
    refuseOverwrite(options.output, { force: options.force ?? false, source: found.metadata.input?.path });
  if (options.showValues) {
    const shown = await showValues(out, session, found);
    return out.detail(`${shown} rejected, of run ${found.id}`);
  }
  if (out.json && !options.output) return out.stream({ run_id: found.id, rejects: documentsOf(session, found) });
  const codes = await writeRejects(session, found, options.output ?? (process.stdout.isTTY ? shown() : process.stdout));
  const rows = Object.values(codes).reduce((sum, n) => sum + n, 0);
  if (options.output) say({ out, usual: session.config.backend }, found, options.output, rows, codes);
  out.document({ run_id: found.id, file: options.output, rows, codes });
}

/** To a terminal, which nothing in a file may command; a pipe or a file gets every byte. */
function shown(): Writable {
  const decoder = new StringDecoder('utf8');
  return new Writable({
    write(block: Buffer, _encoding, done) {
      process.stdout.write(printable(decoder.write(block), { lines: true }), () => done());
    },
  });
}

async function* documentsOf(session: Session, { id, import_kind: kind }: Run): AsyncGenerator<object> {
  const backend = await session.backend();
  if (kindNamed(kind).reads === 'directory') {
    for await (const { item, kind: what, line, code, message } of readItems(backend, id))
      yield { item, kind: what, line, code, message };
  } else {
    for await (const { line, code, message } of readRejects(backend, id)) yield { line, code, message };
  }
}

function say(
  { out, usual }: { out: Call<Flags>['out']; usual: BackendName },
  { id, import_kind: kind, header, metadata: { input: begun } }: Run,
  file: string,
  rows: number,
  codes: Readonly<Record<string, number>>,
): void {
  const input = begun && spelledInput(begun, speller(header ?? []));
  const kinds = Object.entries(codes)
    .map(([code, n]) => `${code} ${n}`)
    .join(', ');
  const directory = kindNamed(kind).reads === 'directory';
  out.answer(
    `${rows} ${directory ? 'failed items' : 'rejected rows'} of run ${id} written to ${file}${rows ? ` (${kinds})` : ''}`,
  );
  if (rows === 0) return;
  const again = input ? mendCommand(file, input, usual) : `intake import ${kind} ${shellWord(file)} --commit`;
  out.detail(`  Mend them${directory ? ' in the directory' : ''}, then: ${again}`);
}
