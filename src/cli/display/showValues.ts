/** `intake rejects --show-values`: the rejected records themselves, to a terminal and nowhere else. */
import { decode } from '../../sources/csv/encoding.ts';
import { IntakeError } from '../../errors.ts';
import { kindNamed } from '../../kinds/index.ts';
import type { Run } from '../../database/rows.ts';
import type { Output } from '../output.ts';
import { readItems, readRejects, storedHeader } from '../../runs/rejectFile.ts';
import type { Session } from '../session.ts';

/** @throws IntakeError USAGE where values would end in a file, a pipe or a log. */
export function requireTerminal({ json }: Output, file: string | undefined): void {
  if (process.stdout.isTTY && !json && file === undefined) return;
  throw new IntakeError('USAGE', '--show-values shows values to a terminal only', {
    remedy: 'Run it on a terminal, without a pipe, --json and -o.',
  });
}

/** @returns how many rejects there are. */
export async function showValues(out: Output, session: Session, run: Run): Promise<number> {
  const backend = await session.backend();
  let shown = 0;
  const show = (place: string, code: string, message: string | null, record: string) => {
    shown++;
    out.answer(out.style('bold', `${place}  ${code}`));
    if (message) out.answer(`  ${message}`);
    for (const line of record === '' ? [] : record.split(/\r\n|\n|\r/)) out.answer(`    ${line}`);
  };
  if (kindNamed(run.import_kind).reads === 'directory') {
    for await (const { item, kind, line, code, message, record } of readItems(backend, run.id)) {
      const raw = kind === 'licence' && record ? Buffer.from(record, 'base64').toString('utf8') : '';
      show(
        `${item}${kind === 'licence' ? ` #${line}` : ''}`,
        code,
        message,
        raw && JSON.stringify(JSON.parse(raw), undefined, 2),
      );
    }
    return shown;
  }
  const { format } = await storedHeader(session, run);
  const header = format.header.join(format.delimiter);
  for await (const { line, code, message, record } of readRejects(backend, run.id)) {
    const text = record
      ? decode(Buffer.from(record, 'base64'), format.encoding)
      : '(longer than 1 MB: -o FILE writes it)';
    show(`Line ${line}`, code, message, `${header}\n${text}`);
  }
  return shown;
}
