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
