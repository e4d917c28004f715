/** The activities with all they need: for the worker of Intake, and for a worker of another program. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { BackendName, Config } from '../config.ts';
import type { Place } from '../messages/place.ts';
import { openBackends } from '../database/backends/open.ts';
import { noMetrics } from '../observability/metrics.ts';
import { createParser } from '../staging/parser.ts';
import type { Deps } from './deps.ts';
import { SLICE_FILES } from './directory/slice.ts';
import { createActivities } from './index.ts';

export interface OpenActivities {
  readonly activities: ReturnType<typeof createActivities>;
  /** Which database and objects they have; nothing of what does not answer. */
  place(): Promise<Place>;
  /** To be called after the worker has ended. */
  close(): Promise<void>;
}

export interface ActivitiesOptions extends Partial<Pick<Deps, 'metrics' | 'hasAttributes'>> {
  /** What another composition root puts around what activities need. */
  readonly adapt?: (deps: Deps) => Deps;
}

export async function openActivities(
  config: Config,
  log: Logger,
  { metrics = noMetrics, hasAttributes = () => Promise.resolve(true), adapt = (deps) => deps }: ActivitiesOptions = {},
): Promise<OpenActivities> {
  const backends = await openBackends(config, metrics);
  const parser = createParser();
  const known = new Map<BackendName, string | undefined>();
  const ownDatabase = async (name: BackendName): Promise<string | undefined> => {
    if (!known.has(name)) known.set(name, (await backends.get(name).call('database_identity', {})) ?? undefined);
    return known.get(name);
  };
  const deps: Deps = {
    config,
    workDir: join(config.dir, 'work'),
    cacheDir: join(config.dir, 'cache'),
    sliceFiles: SLICE_FILES,
    log,
    metrics,
    parser,
    hasAttributes,
    backend: backends.get,
    ownDatabase,
  };
  return {
    activities: createActivities(adapt(deps)),
    async place() {
      const [databaseId, objects] = await Promise.all([
        ownDatabase(config.backend),
        backends.get(config.backend).objects.identity(),
      ]).catch(() => []);
      return { ...(databaseId ? { databaseId } : {}), ...(objects ? { objects } : {}) };
    },
    async close() {
      await parser.close();
      await backends.close();
    },
  };
}
