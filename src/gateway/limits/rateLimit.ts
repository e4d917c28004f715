/** How often a tenant may ask, and a person may try to sign in: a token bucket each. */
import { Problem } from '../problem.ts';

export interface RateLimit {
  /** Requests at once, after a while of silence. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Schedules post once a second; a hundred clients that repeat one batch are still let in. */
export const USUAL_RATE: RateLimit = { burst: 600, perSecond: 10 };

/** Of attempts to sign in to one account from one network address: ten, then two a minute. A stranger elsewhere locks nobody out. */
export const SIGN_IN_RATE: RateLimit = { burst: 10, perSecond: 1 / 30 };

/** Of all attempts from one network address, which may be that of an office: sixty, then twelve a minute. */
export const SIGN_IN_RATE_OF_ADDRESS: RateLimit = { burst: 60, perSecond: 1 / 5 };

/**
 * @param most keys that are remembered; beyond them those that asked longest ago are forgotten.
 * @returns takes one of a key: 0, or the seconds after which there is one.
 */
export function createBuckets({ burst, perSecond }: RateLimit, most = 10_000): (key: string) => number {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (key) => {
    const now = performance.now();
    const { tokens, at } = buckets.get(key) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
    buckets.delete(key);
    buckets.set(key, { tokens: left < 1 ? left : left - 1, at: now });
    if (buckets.size > most) buckets.delete(buckets.keys().next().value!);
    return left < 1 ? Math.ceil((1 - left) / perSecond) : 0;
  };
}

/** @returns a function that throws Problem RATE_LIMITED for a tenant that asks too often. Only known tenants may be given to it. */
export function createRateLimiter(rate: RateLimit): (tenantId: string) => void {
  const take = createBuckets(rate);
  return (tenantId) => {
    const retryAfter = take(tenantId);
    if (retryAfter > 0) throw new Problem('RATE_LIMITED', 'Too many requests of this tenant', { retryAfter });
  };
}
