/** A worker does nothing of what somebody asked of another database, or another store of objects, than its own. */
import type { BackendName } from '../config.ts';
import { IntakeError } from '../errors.ts';
import type { Place } from '../messages/place.ts';
import { otherStore } from '../database/identity.ts';
import { targetText } from '../settings/target.ts';
import type { Deps } from './deps.ts';

interface Asked extends Place {
  readonly backend: BackendName;
}

type Activity = (...args: never[]) => Promise<unknown>;

/** Activities whose request names its place. */
export function inPlace<A extends { [name in keyof A]: Activity }>(activities: A, deps: Deps): A {
  const wrap =
    (run: Activity): Activity =>
    async (...args) => {
      const asked = askedOf(args[0]);
      if (asked?.databaseId) await requireDatabase(deps, asked);
      if (asked?.objects) await requireObjects(deps, asked);
      return run(...args);
    };
  return Object.fromEntries(
    Object.entries<Activity>(activities).map(([name, run]) => [name, wrap(run)]),
  ) as unknown as A;
}

const askedOf = (argument: unknown): Asked | undefined => {
  const request = argument as { input?: Asked; push?: Asked } & Asked;
  return request?.input ?? request?.push ?? request;
};

/** @throws IntakeError DATABASE_MISMATCH. */
async function requireDatabase({ ownDatabase, config }: Deps, { backend, target, databaseId }: Asked): Promise<void> {
  const id = await ownDatabase(backend);
  if (id === undefined || id === databaseId) return;
  throw new IntakeError(
    'DATABASE_MISMATCH',
    `The command is for ${target ?? 'another database'}, this worker for ${targetText({ ...config, backend })}`,
  );
}

/** @throws IntakeError DATABASE_MISMATCH: the objects are a part of it. */
async function requireObjects({ backend, config }: Deps, { backend: name, objects }: Asked): Promise<void> {
  const own = await backend(name).objects.identity();
  if (own === undefined || own.id === objects?.id) return;
  throw otherStore(`The command keeps objects in ${objects?.name}, this worker on ${config.host} in ${own.name}`);
}
