/** A chunk whose statement the database ends at its time limit is staged in pieces, which are made smaller until they fit. */
import { hash } from 'node:crypto';
import type { StagedChunk, StageFormat } from '../backend.ts';
import { interruption } from '../interruption.ts';
import type { Piece, StagedPart } from '../rows.ts';
import { isTimeLimit } from '../sqlError.ts';

/** How much smaller the next piece is: each try that is too large costs the whole limit. */
const SMALLER = 4;

type Send = (chunk: StagedChunk, piece?: Piece) => Promise<StagedPart>;

/** Stages chunks by `send`; chunks of a stage that had to be cut are cut from the beginning. */
export function inPieces(format: StageFormat, send: Send): (chunk: StagedChunk) => Promise<number | void> {
  let fitting: { readonly stageId: string; readonly rows: number } | undefined;

  return async (chunk) => {
    const { stageId, rows } = chunk;
    const known = fitting?.stageId === stageId && fitting.rows < rows ? fitting.rows : undefined;
    if (known === undefined) {
      try {
        const staged = await send(chunk);
        if (!staged.more) return;
      } catch (error) {
        if (!isCut(error) || rows <= 1) throw error;
      }
    }
    const size = await stagePieces(chunk, known ?? Math.ceil(rows / SMALLER));
    fitting = { stageId, rows: size };
    return size;
  };

  async function stagePieces(chunk: StagedChunk, first: number): Promise<number> {
    const ends = rowEnds(chunk.payload, format);
    const content = hash('sha256', chunk.payload, 'hex');
    let size = first;
    for (let before = 0; ;) {
      const until = Math.min(before + size, ends.length);
      try {
        const piece = { content, before, more: until < ends.length };
        const staged = await send(
          { ...chunk, rows: until - before, payload: cut(chunk.payload, ends, before, until) },
          piece,
        );
        if (!staged.more) return size;
        before = staged.rows; // of another attempt, where it was faster
      } catch (error) {
        if (!isCut(error) || size === 1) throw error;
        size = Math.ceil(size / SMALLER);
      }
    }
  }

  function cut(payload: Uint8Array, ends: readonly number[], from: number, until: number): Uint8Array {
    const json = format === 'json';
    // What is between two rows of JSON is one comma; before the first is the bracket.
    const start = from === 0 ? (json ? 1 : 0) : ends[from - 1]! + (json ? 1 : 0);
    const bytes = payload.subarray(start, ends[until - 1]);
    return json ? Buffer.concat([Buffer.from('['), bytes, Buffer.from(']')]) : bytes;
  }
}

/** By the time limit, not because nobody waits any more. */
const isCut = (error: unknown): boolean => isTimeLimit(error) && !interruption()?.aborted;

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What opens and closes differs by 2, and has the bit between `[` and `{`. */
const [OPEN, CLOSE, CURLY] = [0x5b, 0x5d, 0x20];

/** Where each row ends. */
function rowEnds(payload: Uint8Array, format: StageFormat): number[] {
  const ends: number[] = [];
  if (format === 'copy') {
    for (let at = payload.indexOf(NEWLINE); at >= 0; at = payload.indexOf(NEWLINE, at + 1)) ends.push(at + 1);
    return ends;
  }
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at]!;
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) at += byte === BACKSLASH ? 1 : 0;
    else if ((byte & ~CURLY) === OPEN) depth++;
    else if ((byte & ~CURLY) === CLOSE && --depth === 1) ends.push(at + 1);
  }
  return ends;
}
