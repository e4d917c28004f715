/** How often a tenant may ask: a token bucket each. */
import { Problem } from './problem.ts';

export interface RateLimit {
  /** Requests at once, after a while of silence. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Schedules post once a second; a hundred clients that repeat one batch are still let in. */
export const USUAL_RATE: RateLimit = { burst: 600, perSecond: 10 };

/** @returns a function that throws Problem RATE_LIMITED for a tenant that asks too often. Only known tenants may be given to it. */
export function createRateLimiter({ burst, perSecond }: RateLimit): (tenantId: string) => void {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (tenantId) => {
    const now = performance.now();
    const { tokens, at } = buckets.get(tenantId) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
    buckets.set(tenantId, { tokens: left < 1 ? left : left - 1, at: now });
    if (left < 1) throw new Problem('RATE_LIMITED', 'Too many requests of this tenant', { retryAfter: Math.ceil((1 - left) / perSecond) });
  };
}
