/** Entry of a parse thread; the encoded rows move to the worker's own thread, they are not copied. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import stageRows, { type StageJob } from './stageRows.ts';

export default function parseThread(job: StageJob): unknown {
  const staged = stageRows(job);
  return move({ [transferableSymbol]: [staged.payload.buffer as ArrayBuffer], [valueSymbol]: staged });
}
