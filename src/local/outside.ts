/**
 * A stack of root below a folder that nobody else may enter, as root's home is, has its database outside: PostgreSQL runs as
 * another user there. The folder names its place, and the place its folder, so that neither a copy of the folder nor a new one
 * at its path takes another's data.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IntakeError } from '../errors.ts';
import { takeHold } from './hold.ts';
import { stackTag } from './state.ts';

export const OUTSIDE = '/var/lib/intake';

const pointerOf = (dir: string): string => join(dir, 'postgres.path');
const ownerOf = (base: string): string => join(base, 'folder');

/** The place that the folder names; undefined: none. */
export const placeNamedBy = (dir: string): string | undefined => readLine(pointerOf(dir));

/**
 * The place of the folder's database: the one that it names, a copy of that in a copied folder, else a new one.
 * @throws IntakeError STACK_FAILED when the database of the original cannot be copied now.
 */
export async function outsidePlace(dir: string, onStep: (line: string) => void): Promise<string> {
  const named = placeNamedBy(dir);
  if (named !== undefined && existsSync(named)) {
    const original = readLine(ownerOf(named));
    const copied = original !== undefined && original !== dir && placeNamedBy(original) === named;
    if (!copied) return own(named, dir);
    return copyOf(named, original, dir, onStep);
  }
  if (named !== undefined) onStep(`The database of this folder was in ${named}, which is gone: a new one is made`);
  for (const left of leftPlaces(dir)) {
    const last = statSync(left).mtime.toISOString().slice(0, 10);
    onStep(
      `A database of an earlier folder at this path is left in ${left} (${last}); it is not used. Delete it: rm -r ${left}`,
    );
  }
  return own(newPlace(), dir);
}

/** Makes a folder for all to pass through, whatever the umask; an older one gets its rights back. */
export function makePassable(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** Puts a copy of a folder to its destination whole or not at all; a broken one there is replaced. */
export function copyWhole(from: string, to: string, mode?: string): void {
  makePassable(dirname(to));
  const aside = `${to}.${process.pid}.new`;
  rmSync(aside, { recursive: true, force: true });
  try {
    execFileSync('cp', ['-pRP', from, aside], { stdio: ['ignore', 'ignore', 'pipe'] });
    if (mode) execFileSync('chmod', ['-R', mode, aside], { stdio: ['ignore', 'ignore', 'pipe'] });
    rmSync(to, { recursive: true, force: true });
    renameSync(aside, to);
  } catch (cause) {
    rmSync(aside, { recursive: true, force: true });
    throw new IntakeError('STACK_FAILED', `${from} could not be copied to ${to}`, {
      cause,
      remedy: 'Check rights and room there.',
    });
  }
}

async function copyOf(place: string, original: string, dir: string, onStep: (line: string) => void): Promise<string> {
  const hold = await takeHold(original, 1_000).catch((cause: unknown) => {
    throw new IntakeError('STACK_FAILED', `This folder is a copy of ${original}, whose database is in use: ${place}`, {
      cause,
      remedy: `Stop that stack (\`intake down --dir ${original}\`), so that its database can be copied; then try again.`,
    });
  });
  try {
    const mine = newPlace();
    onStep(`This folder is a copy of ${original}: its database is copied, too, to ${mine}`);
    copyWhole(place, mine);
    return own(mine, dir);
  } finally {
    hold.release();
  }
}

const newPlace = (): string => join(OUTSIDE, `intake-${randomBytes(8).toString('hex')}`);

function own(base: string, dir: string): string {
  makePassable(dirname(base));
  makePassable(base);
  writeFileSync(ownerOf(base), `${dir}\n`, { mode: 0o600 });
  writeFileSync(pointerOf(dir), `${base}\n`, { mode: 0o600 });
  return base;
}

/** Places of folders that were at this path and are gone; older versions named them after the path alone. */
export function leftPlaces(dir: string): string[] {
  if (!existsSync(OUTSIDE)) return [];
  const places = readdirSync(OUTSIDE)
    .filter((name) => /^intake-[\da-f]{16}$/.test(name))
    .map((name) => join(OUTSIDE, name));
  return places.filter((place) => {
    const owner = readLine(ownerOf(place));
    return (owner === dir || (owner === undefined && basename(place) === stackTag(dir))) && place !== placeNamedBy(dir);
  });
}

function readLine(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() || undefined : undefined;
}
