/**
 * database/: What Intake asks of a database: the functions it calls and their answers, migrations, errors.
 *
 * The seam between Intake and a database with object storage; what differs behind it is transport only.
 */
import type { BackendName } from '../config.ts';
import type { StoreIdentity } from '../messages/place.ts';
import type { Answer, Arguments, FunctionName } from './functions.ts';

/**
 * A backend may be called twice with the same arguments, at the same time or after the caller was given up: every
 * function of schema `ingest` is harmless then, by its ledger and keys.
 */
export interface Backend {
  readonly name: BackendName;
  /** How rows are sent to `stage`. */
  readonly format: StageFormat;
  readonly objects: ObjectStore;
  /**
   * Calls a function of schema `ingest` with named arguments.
   * @returns its scalar, JSON or composite result as JSON.
   * @throws IntakeError: see `sqlError` (transient ones are retryable).
   */
  call<N extends FunctionName>(fn: N, args: Arguments<N>): Promise<Answer<N>>;
  /**
   * Puts a chunk into its stage, all rows in one transaction with the chunk's ledger row, or in pieces when the database ends that at
   * its time limit; a chunk already there stays as it is.
   * @returns rows of the pieces, where it took them.
   */
  stage(chunk: StagedChunk): Promise<number | void>;
  close(): Promise<void>;
}

/** `copy`: PostgreSQL's COPY text format; `json`: an array of row arrays. */
export type StageFormat = 'copy' | 'json';

export interface StagedChunk {
  readonly stageId: string;
  readonly kind: string;
  /** Suffix of the kind's stage table. */
  readonly table: string;
  readonly chunk: number;
  readonly columns: readonly string[];
  readonly rows: number;
  readonly errored: number;
  /** Rows in the backend's format, UTF-8. */
  readonly payload: Uint8Array;
}

/** Objects by path under one bucket or folder; written whole, never changed. */
export interface ObjectStore {
  /** Whether it is said to be the one of all workers. */
  readonly shared: boolean;
  /** Nothing for a bucket, which is a part of its database, and for a folder that can be neither read nor marked. */
  identity(): Promise<StoreIdentity | undefined>;
  /** Stores bytes under a path, durably; the same bytes again are fine. */
  put(path: string, bytes: Buffer, contentType?: string): Promise<void>;
  /** @throws IntakeError OBJECT_MISSING. */
  get(path: string): Promise<Buffer>;
  /** Removes an object, or nothing where there is none. */
  remove(path: string): Promise<void>;
  /** Names and sizes in a folder. */
  list(folder: string): Promise<Map<string, number>>;
}

/** Of runbook 000: where Storage keeps objects. */
export const BUCKET = 'imports';

/** The name of a backend's storage in the list of images. */
export const storageTypeOf = ({ name }: Pick<Backend, 'name'>): string => (name === 'supabase' ? 'supabase' : 'local');
