/** Files that a command writes: none that is there is overwritten unless that is said, the source of an import never. */
import { statSync, type Stats } from 'node:fs';
import { IntakeError } from '../../errors.ts';

/**
 * @param source what was or is to be imported.
 * @throws IntakeError USAGE for `-`, and when the file is the source, or is there and `force` is not given.
 */
export function refuseOverwrite(
  path: string,
  { force = false, source }: { force?: boolean; source?: string | undefined },
): void {
  if (path === '-')
    throw new IntakeError('USAGE', '- is no file', {
      remedy: 'Give a file; `intake rejects` and `intake runs differences` write to stdout where none is given.',
    });
  const there = statSync(path, { throwIfNoEntry: false });
  if (!there?.isFile()) return; // also a pipe or /dev/null, which lose nothing
  const original = source === undefined ? undefined : statSync(source, { throwIfNoEntry: false });
  if (original && isSame(there, original))
    throw new IntakeError('USAGE', `${path} is the file that is imported: it is never overwritten`, {
      remedy: 'Give another file.',
    });
  if (!force)
    throw new IntakeError('USAGE', `${path} is there already`, {
      remedy: 'Give another file, or --force to overwrite it.',
    });
}

const isSame = (one: Stats, other: Stats): boolean => one.dev === other.dev && one.ino === other.ino;
