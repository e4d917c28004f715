/** Which database and which store of objects a command or a worker has: an address or a folder may be called otherwise on every host. */
import { IntakeError } from '../errors.ts';
import type { Place } from '../messages/place.ts';
import type { Backend } from './backend.ts';

export type PlaceBackend = Pick<Backend, 'call' | 'objects'>;

/** What a command says of its own to the workers that do its work. */
export async function placeOf({ call, objects }: PlaceBackend): Promise<Omit<Place, 'target'>> {
  const [databaseId, store] = await Promise.all([
    call('database_identity', {}),
    objects.shared ? objects.identity() : undefined,
  ]);
  return { ...(databaseId === null ? {} : { databaseId }), ...(store ? { objects: store } : {}) };
}

/** What is asked for, at the place of who asks now: a run that is resumed may have been begun at another. */
export async function inPlaceOf<T extends Place>(asked: T, backend: PlaceBackend): Promise<T> {
  return { ...asked, databaseId: undefined, objects: undefined, ...(await placeOf(backend)) };
}

/** Nothing where the database does not answer. */
export const knownPlaceOf = (backend: Promise<PlaceBackend>): Promise<Place> => backend.then(placeOf).catch(() => ({}));

/** Objects are a part of the database: what one has the other names. */
export const otherStore = (message: string): IntakeError =>
  new IntakeError('DATABASE_MISMATCH', message, {
    remedy:
      'Give the command and all workers one folder of objects (INTAKE_OBJECTS_DIR), then the same command again, or `intake resume ID` of a run that had begun. The file .store in it tells one folder from another.',
  });
