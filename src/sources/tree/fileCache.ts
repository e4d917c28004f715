/** What is known of files from earlier runs, by root, path, size and time. A cache: it may forget, and never fails an import. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Known } from './insideFile.ts';

export interface CachedFile {
  /** Hex. */
  readonly sha256: string;
  /** Of an image its type; of a JSON file 'json'. */
  readonly type: string;
  /** What else the owner of the entry wants back; it must fit in JSON. */
  readonly facts?: unknown;
}

export interface PathAndKnown extends Known {
  /** Below the root. */
  readonly path: string;
}

/** Raised when the tables change: another version's file is made anew. */
const VERSION = 1;
const MAX_BYTES = 512 * 1024 * 1024;
const KEPT_DAYS = 30;

/** Other processes write for milliseconds. */
const SETTINGS =
  'PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA auto_vacuum = FULL;';
const TABLES = `
  CREATE TABLE IF NOT EXISTS roots (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, used INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS files (
    root INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ms INTEGER NOT NULL,
    sha256 TEXT NOT NULL, type TEXT NOT NULL, facts TEXT, PRIMARY KEY (root, path)) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};`;

interface Statements {
  readonly get: StatementSync;
  readonly put: StatementSync;
}

export class FileCache {
  readonly #path: string;
  readonly #root: string;
  #db: DatabaseSync | undefined;
  #rootId = 0;
  #statements: Statements | undefined;

  /** @param dir where `files.db` lies; made if missing. @param root the tree whose files are asked for, absolute. */
  constructor(dir: string, root: string) {
    this.#path = join(dir, 'files.db');
    this.#root = root;
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      this.#open();
    } catch (cause) {
      this.#forget(cause);
    }
  }

  /** What is known of these files in this state, by path. */
  getMany(files: readonly PathAndKnown[]): Map<string, CachedFile> {
    const found = new Map<string, CachedFile>();
    this.#try(({ get }) => {
      for (const { path, size, mtimeMs } of files) {
        const row = get.get(this.#rootId, path, size, mtimeMs);
        if (row) found.set(path, cachedFile(row));
      }
    });
    return found;
  }

  /**
   * Keeps what was read of these files.
   * @param readAt milliseconds since 1970, before the first of them was read: a file changed just then may change again without
   * a new time, and is not kept.
   */
  putMany(files: readonly (PathAndKnown & CachedFile)[], readAt: number): void {
    const settled = files.filter(({ mtimeMs }) => readAt - mtimeMs > clockStep(mtimeMs));
    if (settled.length === 0) return;
    this.#try(({ put }, db) => {
      db.exec('BEGIN IMMEDIATE');
      try {
        for (const { path, size, mtimeMs, sha256, type, facts } of settled) {
          put.run(this.#rootId, path, size, mtimeMs, sha256, type, facts === undefined ? null : JSON.stringify(facts));
        }
        db.exec('COMMIT');
      } catch (cause) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw cause;
      }
    });
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
    this.#statements = undefined;
  }

  #try(work: (statements: Statements, db: DatabaseSync) => void): void {
    if (!this.#statements || !this.#db) return;
    try {
      work(this.#statements, this.#db);
    } catch (cause) {
      this.#forget(cause);
    }
  }

  #open(): void {
    const db = new DatabaseSync(this.#path);
    this.#db = db;
    db.exec(SETTINGS);
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > 0 && version !== VERSION) db.exec('DROP TABLE IF EXISTS files; DROP TABLE IF EXISTS roots;');
    if (version !== VERSION) db.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
    const now = Date.now();
    const id = db.prepare(
      'INSERT INTO roots (path, used) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET used = excluded.used RETURNING id',
    );
    this.#rootId = (id.get(this.#root, now) as { id: number }).id;
    prune(db, this.#rootId, now);
    this.#statements = {
      get: db.prepare(
        'SELECT sha256, type, facts FROM files WHERE root = ? AND path = ? AND size = ? AND mtime_ms = ?',
      ),
      put: db.prepare('INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)'),
    };
  }

  /** A damaged file is thrown away and made anew, once; a busy or denied one is done without. */
  #forget(cause: unknown): void {
    this.close();
    if (!/malformed|not a database/.test(String(cause))) return;
    try {
      for (const end of ['', '-wal', '-shm']) rmSync(this.#path + end, { force: true });
      this.#open();
    } catch {
      this.close();
    }
  }
}

function cachedFile({ sha256, type, facts }: Record<string, unknown>): CachedFile {
  const known = { sha256: sha256 as string, type: type as string };
  return facts === null ? known : { ...known, facts: JSON.parse(facts as string) as unknown };
}

/** Milliseconds within which a file system may give two changes the same time; some count in seconds only. */
const clockStep = (mtimeMs: number): number => (mtimeMs % 1000 === 0 ? 2000 : 20);

/** Forgets roots that nobody imports any more and, where it is too large, the longest unused, at last this one. */
function prune(db: DatabaseSync, root: number, now: number): void {
  const size = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
  const others = db.prepare('SELECT id, used FROM roots WHERE id <> ? ORDER BY used').all(root) as {
    id: number;
    used: number;
  }[];
  const isFull = (): boolean => (size.get() as { bytes: number }).bytes > MAX_BYTES;
  for (const { id, used } of others) {
    if (used > now - KEPT_DAYS * 86_400_000 && !isFull()) break;
    db.prepare('DELETE FROM files WHERE root = ?').run(id);
    db.prepare('DELETE FROM roots WHERE id = ?').run(id);
  }
  if (isFull()) db.prepare('DELETE FROM files WHERE root = ?').run(root);
}
