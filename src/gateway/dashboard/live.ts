/** Server-sent events: the same pieces of a page again, while something goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import type { Html } from './words.ts';

export interface Piece {
  readonly html: Html;
  /** What a screen reader hears, when it is other than before. */
  readonly words: string;
  /** The page is not true any more: it is loaded anew. */
  readonly over?: boolean;
}

export interface LiveOptions {
  readonly everyMs: number;
  /** Whether the gateway stops. */
  readonly stopping: () => boolean;
  /**
   * Makes the next piece, with the rights that the person has by then. An error of the first is the answer; a later one ends the
   * stream, and the browser asks again, with a request that can say why.
   */
  readonly look: () => Promise<Piece>;
  /** Takes a place among the streams. */
  readonly enter: () => () => void;
}

/** The browser comes back by itself, with renewed rights, after this. */
const LONGEST_MS = 5 * 60_000;
const COME_BACK_MS = 2_000;
/** So soon it notices that nobody listens any more, or that the gateway stops. */
const TICK_MS = 250;

/** Events `piece` (HTML for the place of the page that asked), `words` and `over`. */
export async function sendLive(c: Context, { everyMs, stopping, look, enter }: LiveOptions): Promise<Response> {
  const until = Date.now() + LONGEST_MS;
  const leave = enter();
  const first = await look().catch((error: unknown) => {
    leave();
    throw error;
  });
  return streamSSE(c, async (stream) => {
    stream.onAbort(leave);
    try {
      await send(stream, first);
    } finally {
      leave();
    }
  });

  async function send(stream: SSEStreamingApi, begun: Piece): Promise<void> {
    let piece: Piece | undefined = begun;
    let shown = '';
    let said = '';
    await stream.writeSSE({ event: 'hello', data: '', retry: COME_BACK_MS });
    for (; !stream.aborted && !stopping() && Date.now() < until; piece = await look().catch(() => undefined)) {
      if (!piece) return;
      const text = String(await piece.html);
      if (text !== shown) await stream.writeSSE({ event: 'piece', data: (shown = text) });
      if (piece.words !== said) await stream.writeSSE({ event: 'words', data: (said = piece.words) });
      if (piece.over) return stream.writeSSE({ event: 'over', data: '' });
      for (let waited = 0; waited < everyMs && !stream.aborted && !stopping(); waited += TICK_MS) await sleep(TICK_MS);
    }
  }
}
