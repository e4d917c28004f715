/** Paths that the parts of the stack cannot have, found before one of them fails on it. */
import { IntakeError } from '../errors.ts';

/** SQLite knows no longer ones than 512 bytes, and adds to them. */
const LONGEST = 440;

/** @throws IntakeError STACK_FAILED: PostgreSQL gives its paths to a shell, within double quotes. */
export function refusePath(path: string): void {
  const odd = /["$`\\\n]/.exec(path)?.[0];
  if (odd === undefined && Buffer.byteLength(path) <= LONGEST) return;
  const why = odd === undefined ? `is longer than ${LONGEST} bytes` : `holds ${odd === '\n' ? 'a line break' : odd}`;
  throw new IntakeError('STACK_FAILED', `The stack cannot run here, since the path ${why}: ${path}`, {
    remedy: 'Rename or move the folder.',
  });
}
