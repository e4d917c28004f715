/** Live streams that are open: each holds a connection for minutes, and asks the database again and again. */
import { Problem } from '../problem.ts';

const MOST_OF_ONE = 6;
const MOST = 200;

/** @returns takes a place for somebody; what it returns gives the place back, once. It throws Problem TOO_MANY_STREAMS. */
export function createStreams(mostOfOne = MOST_OF_ONE, most = MOST): (who: string) => () => void {
  const open = new Map<string, number>();
  let all = 0;
  return (who) => {
    const own = open.get(who) ?? 0;
    if (own >= mostOfOne || all >= most)
      throw new Problem(
        'TOO_MANY_STREAMS',
        own >= mostOfOne ? `${own} live pages are open` : 'All live streams are taken',
        {
          retryAfter: 5,
        },
      );
    open.set(who, own + 1);
    all++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      all--;
      const left = open.get(who)! - 1;
      if (left > 0) open.set(who, left);
      else open.delete(who);
    };
  };
}
