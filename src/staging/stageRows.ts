/**
 * staging/: Records into staged rows, on threads, and the manifest of their parts. Knows no Temporal.
 *
 * The rows of a chunk, encoded as their backend wants them and sorted by partition. Runs in the worker's parse
 * threads.
 */
import type { StageFormat } from '../database/backend.ts';
import { LONGEST_STAGED } from './longRecord.ts';
import { addRemarks, type Remark, type Remarks } from '../messages/remarks.ts';
import type { Notice } from '../sources/cleanText.ts';
import { originalWidth, readRows, type ChunkSource } from './readRows.ts';
import { RowBuffer } from './rowBuffer.ts';
import { copyCell, jsonCell, payloadWriter } from './stageFormat.ts';

export interface StageJob extends ChunkSource {
  readonly format: StageFormat;
  readonly partitions: number;
  readonly stageId: string;
  readonly chunk: number;
}

export interface StagedRows {
  readonly payload: Uint8Array;
  readonly rows: number;
  readonly errored: number;
  /** Rejected rows by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly remarks: Remarks;
}

/** Stage columns that every kind has, before its own. */
export const COMMON_COLUMNS = [
  'part',
  'row_index',
  'line_number',
  'raw_payload',
  'raw_record',
  'error_code',
  'error_message',
] as const;

/** Keys are uniform, so equal ranges of them are equal parts; and a part is a contiguous range of every index on the key. */
export const partitionOf = (key: string, partitions: number): number =>
  partitions === 1 ? 0 : Math.floor((Number.parseInt(key.slice(0, 8), 16) / 2 ** 32) * partitions);

export default function stageRows(job: StageJob): StagedRows {
  const copy = job.format === 'copy';
  const cell = copy ? copyCell : jsonCell;
  const writePayload = payloadWriter(job.header.slice(0, originalWidth(job.header)), job.format);
  const separator = copy ? '\t' : ',';
  // COPY wants every column; the function behind the JSON format adds these two itself.
  const start = copy ? `${job.stageId}\t${job.chunk}\t` : '';
  const noError = separator + [null, null, null].map(cell).join(separator);
  // Rows of a usual file grow fourfold: key, normalized name, payload under its headers.
  const buffer = new RowBuffer(job.bytes.length * 4 + 1024);
  const codes: Record<string, number> = {};
  const remarks: Record<string, Remark> = {};
  const notice: Notice = (code, remark) => addRemarks(remarks, { [code]: remark });
  let rows = 0;
  let errored = 0;

  for (const { rowIndex, line, cells, row, plain, error, message, record } of readRows(job, notice)) {
    rows++;
    const part = partitionOf(row.key, job.partitions);
    let text = `${start}${part}${separator}${rowIndex}${separator}${line}${separator}${writePayload(cells, plain)}`;
    if (error) {
      errored++;
      codes[error] = (codes[error] ?? 0) + 1;
      const bytes = record();
      const kept = bytes.length > LONGEST_STAGED ? '' : bytes.toString('hex');
      text += separator + [`\\x${kept}`, error, message ?? null].map(cell).join(separator);
    } else {
      text += noError;
    }
    // What a kind makes of plain cells is plain, and in COPY needs no second look.
    if (copy && plain) for (const value of row.values) text += separator + (value ?? '\\N');
    else for (const value of row.values) text += separator + cell(value);
    buffer.add(part, copy ? `${text}\n` : `[${text}],`);
  }
  return {
    payload: copy ? buffer.sorted(job.partitions) : closeArray(buffer.sorted(job.partitions, '[')),
    rows,
    errored,
    codes,
    remarks,
  };
}

/** The comma after the last row becomes the bracket. */
export function closeArray(json: Buffer): Buffer {
  if (json.length === 1) return Buffer.from('[]');
  json.write(']', json.length - 1, 'latin1');
  return json;
}
