/** hasAttributes: whether the status of an import can be a search attribute; a label is not worth an import. */
import type { Deps } from '../deps.ts';

export const attributesActivity = ({ hasAttributes, log }: Deps) => ({
  async hasAttributes(): Promise<boolean> {
    const there = await hasAttributes();
    if (!there)
      log.warn('search attributes of Intake are not registered: imports end, their status is not filtered by');
    return there;
  },
});
