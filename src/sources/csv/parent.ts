/** The run that a file of rejects came from, which it names itself. */
import { IntakeError } from '../../errors.ts';
import { DELIMITERS, type Delimiter } from './dialect.ts';
import { detectEncoding, type DetectedEncoding } from './encoding.ts';
import { ANY_HEADER, layoutAt, linesOf, MOST_TITLES, type Layout } from './layout.ts';
import { parseChunk } from './parse.ts';

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A file without it in its head is none of rejects. */
const MARKS = [Buffer.from('_run'), Buffer.from('_run', 'utf16le'), Buffer.from('_run', 'utf16le').swap16()];

/** As its first readable row says. */
export const parentOf = (head: Buffer, layout: Layout): string | undefined => parentsOf(head, layout)[0];

/** The runs that its first rows name, in their order: somebody may have joined several files of rejects. */
function parentsOf(head: Buffer, { bomBytes, header, ...options }: Layout): string[] {
  const records = parseChunk(head.subarray(bomBytes), {
    ...options,
    columns: header.names.length,
    line: 1,
    firstRow: 0,
  });
  const runs = new Set<string>();
  for (const { rowIndex, cells } of records) {
    const run = rowIndex === 0 ? undefined : cells?.findLast((cell) => cell.trim() !== '')?.trim();
    if (run && RUN_ID.test(run)) runs.add(run);
  }
  return [...runs];
}

export interface Parent {
  readonly runId: string;
  /** Of whose rejects the file has some, too. */
  readonly others: readonly string[];
  /** Where it is not the one that is detected. */
  readonly delimiter?: Delimiter;
  /** The file is plainly UTF-8 or UTF-16, whatever its parent was. */
  readonly unicode: boolean;
}

/** The parent of a file whose kind and headers nobody knows yet. */
export function parentOfFile(head: Buffer): Parent | undefined {
  if (!MARKS.some((mark) => head.includes(mark))) return undefined;
  const detected = encodingOf(head);
  const unicode = detected.certain && detected.encoding.startsWith('utf');
  for (const delimiter of [undefined, ...DELIMITERS]) {
    for (const place of linesOf(head, detected, MOST_TITLES)) {
      const layout = attempt(() => layoutAt(head, false, ANY_HEADER, { delimiter }, detected, place));
      const [runId, ...others] = layout?.controls ? parentsOf(head, layout) : [];
      if (runId) return { runId, others, unicode, ...(delimiter ? { delimiter } : {}) };
    }
  }
  return undefined;
}

/** What decides is ASCII in each encoding of one byte. */
const encodingOf = (head: Buffer): DetectedEncoding =>
  attempt(() => detectEncoding(head)) ?? { encoding: 'windows-1252', certain: false, bomBytes: 0 };

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof IntakeError) return undefined;
    throw error;
  }
}
