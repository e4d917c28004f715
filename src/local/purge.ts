/** `intake down --purge`: removes what a stack keeps, and nothing else that lies in its folder. */
import { existsSync, readdirSync, realpathSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { takeHold } from './hold.ts';
import { leftPlaces, placeNamedBy } from './outside.ts';
import { lockedStack } from './stack.ts';
import { stopProcesses } from './stop.ts';

/** All that a stack and the commands that use it make in its folder. */
const OURS = [
  ...['stack.json', 'supervisor.json', 'postgres', 'postgres.new', 'postgres.path', 'postgres.password'],
  ...['temporal.db', 'temporal.db-wal', 'temporal.db-shm', 'objects', 'storage', 'work', 'logs', 'cache', 'bin'],
  ...['alive', 'held', 'lock'],
];

/**
 * Stops the stack and removes its database, workflows, objects and settings. Objects in a folder of INTAKE_OBJECTS_DIR stay.
 * @param onRemove receives each path before anything is removed.
 * @returns whether there was a stack.
 */
export async function purgeStack(
  dir: string,
  onStep: (line: string) => void,
  onRemove: (path: string) => void,
): Promise<boolean> {
  if (!existsSync(dir)) return false;
  const found = realpathSync(dir);
  if (!readdirSync(found).includes('lock')) return false; // not a folder of ours
  await lockedStack(found, onStep, async () => {
    await stopProcesses(found, onStep);
    const held = await takeHold(found, 3_000);
    try {
      const named = placeNamedBy(found);
      const outside = [...(named && existsSync(named) ? [named] : []), ...leftPlaces(found)];
      const inside = OURS.map((name) => join(found, name)).filter((path) => existsSync(path));
      for (const path of [found, ...outside]) onRemove(path);
      for (const path of [...outside, ...inside]) rmSync(path, { recursive: true, force: true });
    } finally {
      held.release();
    }
  });
  if (readdirSync(found).length === 0) rmdirSync(found);
  return true;
}
