/**
 * gateway/limits/: Who may ask, how often, and with how many bytes at a time.
 *
 * How many bytes of bodies are held at once.
 */
import { Problem } from '../problem.ts';

export interface ByteBudget {
  /** For one body after it has begun to arrive. */
  hold(tenantId: string): Holding;
}

export interface Holding {
  /** Waits for room. @throws Problem GATEWAY_BUSY when there was none for long. */
  take(bytes: number): Promise<void>;
  /** Gives all of it back. */
  release(): void;
}

const WAIT_MS = 15_000;

/**
 * One tenant gets half of it, so that its slow clients leave room for others.
 * @param total bytes for all; exceeded by one body at most.
 */
export function createByteBudget(total: number, waitMs = WAIT_MS): ByteBudget {
  const held = new Map<string, number>();
  let sum = 0;
  /** Gets what it asks for: else all would hold a part of their bodies and wait for each other. */
  let favoured: Holding | undefined;
  const waiting = new Set<() => void>();

  return {
    hold(tenantId) {
      let mine = 0;
      const add = (bytes: number): void => {
        mine += bytes;
        sum += bytes;
        const ofTenant = (held.get(tenantId) ?? 0) + bytes;
        if (ofTenant > 0) held.set(tenantId, ofTenant);
        else held.delete(tenantId);
      };
      const tryToTake = (holding: Holding, bytes: number): boolean => {
        const room = sum + bytes <= total && (held.get(tenantId) ?? 0) + bytes <= total / 2;
        if (!room) favoured ??= holding;
        if (!room && favoured !== holding) return false;
        add(bytes);
        return true;
      };
      return {
        take(bytes) {
          if (tryToTake(this, bytes)) return Promise.resolve();
          return new Promise((resolve, reject) => {
            const again = (): void => {
              if (!tryToTake(this, bytes)) return;
              clearTimeout(late);
              waiting.delete(again);
              resolve();
            };
            const late = setTimeout(() => {
              waiting.delete(again);
              reject(new Problem('GATEWAY_BUSY', 'Too many bodies are being received', { retryAfter: 2 }));
            }, waitMs);
            waiting.add(again);
          });
        },
        release() {
          add(-mine);
          if (favoured === this) favoured = undefined;
          for (const again of waiting) again(); // who waits longest comes first
        },
      };
    },
  };
}
