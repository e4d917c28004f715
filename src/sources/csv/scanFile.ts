/** sources/csv/: Record files: encoding, dialect, header, records, and files of rejects. */
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { IntakeError } from '../../errors.ts';
import { type Chunk, ChunkCutter } from './chunks.ts';
import type { Dialect } from './dialect.ts';
import { type DetectedEncoding, type Encoding, unitBytes } from './encoding.ts';
import { requireLatin, requireNoneOfTwoBytes } from './codePage.ts';
import { openRegularFile } from '../file.ts';
import { cellsIn } from './quotes.ts';
import { MAX_CELL_BYTES, MAX_RECORD_BYTES, MAX_TAIL_LINES, RecordScanner } from './scanner.ts';
import { Utf8Evidence } from './utf8Evidence.ts';
import { SlidingWindow } from './window.ts';

const BLOCK_BYTES = 1024 * 1024;

/** Looks at a record that is not broken, from one of its code units to another. */
export type RecordVisitor = (units: Uint8Array, start: number, end: number) => void;

export interface ScanFileOptions extends DetectedEncoding, Dialect {
  /** Physical line of the first byte behind `bomBytes`; 1 unless titles stand above the header. */
  readonly headerLine?: number;
  /** Target size of a chunk in bytes. */
  readonly chunkBytes: number;
  /** Bytes per read. */
  readonly blockBytes?: number;
  /** Called after each block with the bytes read so far. */
  readonly onProgress?: (bytes: number) => void;
  /** Told the header's bytes; what it answers sees every record that is not broken. */
  readonly onHeader?: ((header: Buffer) => RecordVisitor | undefined) | undefined;
  readonly signal?: AbortSignal;
}

export interface ScannedFile {
  /** SHA-256 of the whole file, hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Records without the header, broken ones included. */
  readonly rows: number;
  /** Records that are UNBALANCED_QUOTE, FIELD_TOO_LARGE or RECORD_TOO_LARGE. */
  readonly broken: number;
  /** Final: an ASCII head may have turned out Windows-1252. */
  readonly encoding: Encoding;
  /** The first block that is not ASCII, where only it showed that the file is Windows-1252. */
  readonly sample?: Buffer;
  /** Bytes up to the first byte after the header record: byte order mark, leading blank lines, header, its line end. */
  readonly headerLength: number;
  /** Together with the header they are the file, byte for byte. */
  readonly chunks: readonly Chunk[];
}

/**
 * The one full pass over a file: its hash, its records counted, and the chunks with their hashes. Memory stays at two blocks,
 * or at twice the largest record where a quote is left open. Throws EMPTY_FILE without a header record, HEADER_UNREADABLE where it is broken,
 * CHANGED_FILE where the file was written meanwhile, FILE_NOT_FOUND, FILE_UNREADABLE, NOT_A_FILE; the signal's reason.
 */
export async function scanFile(path: string, options: ScanFileOptions): Promise<ScannedFile> {
  const file = await openRegularFile(path);
  try {
    const before = await file.stat();
    const scanned = await scan(file, options);
    const after = await file.stat();
    if (after.size !== scanned.bytes || after.mtimeMs !== before.mtimeMs) {
      throw new IntakeError('CHANGED_FILE', 'The file changed while it was read');
    }
    return scanned;
  } finally {
    await file.close();
  }
}

async function scan(file: FileHandle, options: ScanFileOptions): Promise<ScannedFile> {
  const width = unitBytes(options.encoding);
  const limits = { header: true, cellBytes: MAX_CELL_BYTES / width, recordBytes: MAX_RECORD_BYTES / width };
  const scanner = new RecordScanner(options, options.headerLine ?? 1, limits);
  const window = new SlidingWindow(options.encoding, options.blockBytes ?? BLOCK_BYTES);
  const hash = createHash('sha256');
  const evidence = new Utf8Evidence();
  /** The first block that is not ASCII. */
  let sample: Buffer | undefined;
  let cutter: ChunkCutter | undefined;
  /** The chunk is full: it ends between two whole records, as what is broken may be told from its neighbours only. */
  let due: { line: number; readonly whole: boolean; readonly waited: number } | undefined;
  const delimiter = options.delimiter.charCodeAt(0);
  const cells = () => cellsIn(window.units, scanner.start, scanner.end, delimiter);
  const isWhole = () => scanner.error === undefined && cells() === columns;
  let columns = 0;
  let visit: RecordVisitor | undefined;
  let headerLength = 0;
  let bytes = 0;
  let rows = 0;
  let broken = 0;

  bytes += await skipMark(file, options.bomBytes, hash);
  let base = bytes;
  for (let last = false; !last;) {
    options.signal?.throwIfAborted();
    const free = window.advance(scanner.keepFrom * width);
    const { bytesRead } = await file.read(free, 0, free.length, bytes);
    const block = free.subarray(0, bytesRead);
    hash.update(block);
    if (!options.certain && !evidence.decided && !isAscii(block)) {
      evidence.add(block);
      sample ??= Buffer.from(block);
    }
    last = bytesRead === 0;
    bytes += bytesRead;
    const units = window.filled(bytesRead, last);
    scanner.refill(window.units, units, last);

    let added = 0;
    let pending = 0;
    let cutAt = cutter?.room ?? 0;
    /** What precedes the record belongs to the chunk before it. */
    const tooLarge = (start: number, end: number, line: number) => {
      const begin = Math.max(added, start * width);
      if (begin > added) cutter?.add(window.bytes.subarray(added, begin), pending);
      cutter?.addTooLarge(window.bytes.subarray(begin, end), line);
    };
    while (scanner.next()) {
      const after = Math.min(scanner.after * width, window.length);
      if (cutter === undefined) {
        const { error, line } = scanner;
        if (error !== undefined) throw new IntakeError('HEADER_UNREADABLE', 'The header is broken', { line });
        headerLength = base + after;
        columns = cells();
        visit = options.onHeader?.(window.bytes.subarray(scanner.start * width, scanner.end * width));
        cutter = new ChunkCutter(options.chunkBytes, headerLength, scanner.nextLine);
        added = after;
        cutAt = after + cutter.room;
        continue;
      }
      rows++;
      if (scanner.error !== undefined) broken++;
      else visit?.(window.units, scanner.start, scanner.end);
      const isTooLarge = scanner.error === 'RECORD_TOO_LARGE';
      if (due !== undefined && (isTooLarge || due.waited > MAX_TAIL_LINES || (due.whole && isWhole()))) {
        cutter.cut(due.line);
        cutAt = added + cutter.room;
        due = undefined;
      }
      if (isTooLarge) {
        tooLarge(scanner.start, after, scanner.line);
        cutter.cut(scanner.nextLine);
        cutAt = after + cutter.room;
      } else {
        pending++;
        if (after < cutAt) continue;
        cutter.add(window.bytes.subarray(added, after), pending);
        due = { line: scanner.nextLine, whole: isWhole(), waited: (due?.waited ?? 0) + 1 };
      }
      added = after;
      pending = 0;
    }
    const done = last ? window.length : scanner.keepFrom * width;
    if (scanner.overLimit) tooLarge(scanner.after, done, scanner.nextLine);
    else cutter?.add(window.bytes.subarray(added, done), pending);
    if (due !== undefined) due.line = scanner.nextLine;
    base += done;
    options.onProgress?.(bytes);
  }
  if (cutter === undefined) throw new IntakeError('EMPTY_FILE', 'The file is empty');
  cutter.cut(scanner.nextLine);
  const single = !options.certain && evidence.seen && !evidence.isUtf8;
  if (single && sample) requireLatin(sample);
  else if (!options.certain && evidence.isMixed && sample) requireNoneOfTwoBytes(sample);
  const encoding = single ? 'windows-1252' : options.encoding;
  const found = single && sample ? { sample } : {};
  return { sha256: hash.digest('hex'), bytes, rows, broken, encoding, ...found, headerLength, chunks: cutter.chunks };
}

async function skipMark(
  file: FileHandle,
  length: number,
  hash: { update(bytes: Uint8Array): unknown },
): Promise<number> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
  hash.update(buffer.subarray(0, bytesRead));
  return bytesRead;
}
