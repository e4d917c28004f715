/** A tenant's name as commands take it. */
import { IntakeError } from '../../errors.ts';

/** @throws IntakeError USAGE; `remedy` says what to write. */
export function tenantNamed(name: string | undefined, remedy: string): string {
  if (name === undefined || name.trim() === '' || name.trim() === '*' || name.length > 100)
    throw new IntakeError('USAGE', 'Which tenant?', { remedy });
  return name.trim();
}
