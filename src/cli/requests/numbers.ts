/** Numbers that options take. */
import { IntakeError } from '../../errors.ts';

/** @throws IntakeError USAGE. */
export function parseBatchSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > 5000)
    throw new IntakeError('USAGE', '--batch-size is a number from 1 to 5000');
  return size;
}

/** @throws IntakeError USAGE. */
export function parseDays(text: string): number {
  const days = Number(text);
  if (text.trim() === '' || !Number.isInteger(days) || days < 1 || days > 36_500)
    throw new IntakeError('USAGE', `'${text}' is not a number of days`);
  return days;
}
