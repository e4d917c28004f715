/** plan: what the beginning of the file says - encoding, delimiter, header - and whether its columns are the kind's. */
import { headerUses, refuseUnknown } from '../../sources/csv/headerUses.ts';
import { CONTROL_COLUMNS } from '../../sources/csv/controls.ts';
import { readHead } from '../../sources/csv/head.ts';
import { pageRemark } from '../../sources/csv/likelyPage.ts';
import { readLayout } from '../../sources/csv/layout.ts';
import { parentOf } from '../../sources/csv/parent.ts';
import { csvKindNamed } from '../../kinds/index.ts';
import type { ImportInput, Plan } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';

/** Headers that are not taken and listed in a report. */
const MOST_LEFT = 1000;

export const planActivity = (_: Deps) => ({
  async plan(input: ImportInput): Promise<Plan> {
    const { head, whole } = await readHead(input.path);
    const kind = csvKindNamed(input.kind);
    const layout = readLayout(head, whole, kind, input.options);
    const { encoding, certain, bomBytes, delimiter, newline, header, headerLine, mapping, rowCells } = layout;
    const isGuessed = certain && encoding === 'windows-1252' && input.options.encoding === undefined;
    const remarks = { ...layout.remarks, ...(isGuessed ? await pageRemark(head) : {}) };
    const parentRunId = layout.controls ? parentOf(head, layout) : undefined;
    const columns = header.written.length - (layout.controls ? CONTROL_COLUMNS.length : 0);
    const headers = headerUses(header.written.slice(0, columns), kind, mapping, MOST_LEFT);
    if (input.options.strictHeaders) refuseUnknown(headers);
    return {
      encoding,
      encodingCertain: certain,
      bomBytes,
      delimiter,
      newline,
      columns,
      mapped: kind.columns.filter((_column, i) => mapping.positions[i] !== undefined).map((column) => column.name),
      headers,
      ...(headerLine > 1 ? { headerLine } : {}),
      ...(rowCells === undefined ? {} : { rowCells }),
      ...(Object.keys(remarks).length > 0 ? { remarks } : {}),
      ...(kind.resolves ? { resolves: true } : {}),
      ...(parentRunId ? { parentRunId } : {}),
    };
  },
});
