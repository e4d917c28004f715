/** Where a command works: what it asks for is done there, or not at all. */

/** Which store of objects: the mark in it, and what its host calls it. */
export interface StoreIdentity {
  readonly id: string;
  readonly name: string;
}

export interface Place {
  /** The database, for people. */
  readonly target?: string;
  /** Which one that is; nothing where the server does not say. */
  readonly databaseId?: string;
  /** Nothing where the store is that host's alone, or cannot be looked at. */
  readonly objects?: StoreIdentity;
}

export const placeIn = ({ target, databaseId, objects }: Place): Place => ({
  ...(target ? { target } : {}),
  ...(databaseId ? { databaseId } : {}),
  ...(objects ? { objects } : {}),
});

/** Of a place what tells it from others, as memos and names of workers have it. */
interface PlaceIds {
  readonly databaseId?: string | undefined;
  readonly objectsId?: string | undefined;
}

/** In what two places differ; what one of them does not say makes no difference. */
export function differenceOf(there: PlaceIds, { databaseId, objects }: Place): 'database' | 'objects' | undefined {
  const differ = (a: string | undefined, b: string | undefined) => a !== undefined && b !== undefined && a !== b;
  if (differ(there.databaseId, databaseId)) return 'database';
  return differ(there.objectsId, objects?.id) ? 'objects' : undefined;
}
