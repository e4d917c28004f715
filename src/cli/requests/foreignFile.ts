/** What people have instead of a CSV file, told by its name or first bytes: each gets a sentence that is true of it. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { IntakeError } from '../../errors.ts';

const URL_OF_FILE = /^(?:https?|s3|gs|ftp|sftp):\/\//i;
const BEGINNINGS: readonly (readonly [RegExp, string, string])[] = [
  [/^PK\x03\x04[^]*(?:\[Content_Types\]\.xml|xl\/|_rels\/)/, 'an Excel workbook', 'Save it as CSV UTF-8 in Excel'],
  [/^\xd0\xcf\x11\xe0/, 'an old Excel workbook', 'Save it as CSV UTF-8 in Excel'],
  [/^PK\x03\x04/, 'a zip archive', 'Unpack it: unzip FILE'],
  [/^\x1f\x8b/, 'compressed with gzip', 'Unpack it: gunzip --keep FILE'],
  [/^BZh\d/, 'compressed with bzip2', 'Unpack it: bunzip2 --keep FILE'],
  [/^\xfd7zXZ\0/, 'compressed with xz', 'Unpack it: unxz --keep FILE'],
  [/^\x28\xb5\x2f\xfd/, 'compressed with zstd', 'Unpack it: unzstd FILE'],
  [/^%PDF-/, 'a PDF', 'Ask its sender for CSV'],
];

/** @throws IntakeError NOT_A_FILE when the path means something that cannot be imported. */
export function refuseForeignFile(path: string): void {
  if (path === '-')
    throw new IntakeError(
      'NOT_A_FILE',
      'Standard input cannot be imported: an import reads its file again after a crash',
      {
        remedy: 'Save it to a file first, then import that.',
      },
    );
  if (URL_OF_FILE.test(path))
    throw new IntakeError('NOT_A_FILE', 'An address cannot be imported', {
      remedy: 'Download it to a file first, then import that.',
    });
  const [, what, remedy] = BEGINNINGS.find(([pattern]) => pattern.test(beginningOf(path))) ?? [];
  if (what)
    throw new IntakeError('NOT_A_FILE', `${path} is ${what}, not CSV`, { remedy: `${remedy}, then import that.` });
}

/** A file that cannot be read is refused where it is opened for its import. */
function beginningOf(path: string): string {
  const bytes = Buffer.alloc(4096);
  try {
    if (!statSync(path).isFile()) return ''; // a pipe would wait for its writer
    const file = openSync(path, 'r');
    try {
      return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
