/** The live display of an import on a terminal, redrawn in place. */
import type { AnyInput, ImportReport } from '../../messages/imports.ts';
import type { ActivityProgress } from './activityProgress.ts';
import type { Output } from '../output.ts';
import { renderProgress } from './progressBox.ts';
import type { View } from './view.ts';

const REDRAW_MS = 200;

export function createDisplay(out: Output, input: AnyInput): View {
  let drawn = 0;
  let last: { report: ImportReport; activity: ActivityProgress | undefined } | undefined;
  const draw = (): void => {
    if (!last) return;
    const { columns, rows } = process.stderr; // 0 where the terminal does not tell
    // A display taller than the terminal cannot be redrawn in place.
    const lines = renderProgress({ ...last, input, columns: Math.min(columns || 80, 100), style: out.style }).slice(
      0,
      (rows || 24) - 1,
    );
    const up = drawn > 0 ? `\x1b[${drawn}A` : '';
    process.stderr.write(`${up}\x1b[0J${lines.map((line) => `${out.line(line)}\n`).join('')}`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, REDRAW_MS);
  return {
    show(report, activity) {
      const first = last === undefined;
      last = { report, activity };
      if (first) draw();
    },
    close() {
      clearInterval(timer);
      draw();
    },
  };
}
