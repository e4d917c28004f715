/** A worker does nothing of what somebody asked of another database than its own. */
import type { BackendName } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { targetText } from '../settings/target.ts';
import type { Deps } from './deps.ts';

interface Asked {
  readonly backend: BackendName;
  readonly target?: string;
  readonly databaseId?: string;
}

type Activity = (...args: never[]) => Promise<unknown>;

/** Activities whose request names its database. */
export function inDatabase<A extends { [name in keyof A]: Activity }>(activities: A, deps: Deps): A {
  const wrap =
    (run: Activity): Activity =>
    async (...args) => {
      const asked = askedOf(args[0]);
      if (asked?.databaseId) await requireDatabase(deps, asked);
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
