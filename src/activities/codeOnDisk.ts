/** Threads read their code when they start: once the program on disk is replaced, they are of another one than the worker that asks them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CODE = fileURLToPath(new URL('../', import.meta.url));

/** Whether any file of the program was written, or is gone, since this process began. Packages keep their files' times, hence ctime. */
export function isCodeReplaced(folder = CODE, since = performance.timeOrigin): boolean {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some(
      (name) => statSync(join(folder, name)).ctimeMs > since,
    );
  } catch {
    return true;
  }
}
