/** Whose secret a request carries: those of the environment and those of the tenants table, known by their hashes alone. */
import { timingSafeEqual } from 'node:crypto';
import { hashSecret } from '../../database/secrets.ts';
import type { DateOrder } from '../../values/date.ts';

export interface Bearer {
  readonly tenantId: string;
  /** SHA-256 of the secret, hex. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

export interface Bearers {
  /** The one tenant that a secret opens. @throws what `load` throws when only the table could tell. */
  tenantOf(secret: string): Promise<string | undefined>;
  /** How numeric dates of the tenant are written, where it is not as the kind has it. */
  dateOrderOf(tenantId: string): Promise<DateOrder | undefined>;
}

/** What the tables say of tenants. */
export interface StoredTenants {
  readonly bearers: readonly Bearer[];
  readonly dateOrders: Readonly<Record<string, DateOrder>>;
}

/** How long a rotated or removed bearer may live on in a gateway. */
const FRESH_MS = 5_000;
/** A secret that nobody knows asks the table this often at most: a new tenant gets in at once, a stranger costs nothing. */
const UNKNOWN_MS = 1_000;

/** @param load reads the tables. */
export function createBearers(fixed: readonly Bearer[], load: () => Promise<StoredTenants>): Bearers {
  let stored: StoredTenants = { bearers: [], dateOrders: {} };
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const read = (): Promise<void> =>
    (reading ??= load()
      .then((found) => {
        stored = found;
        readAt = performance.now();
      })
      .finally(() => (reading = undefined)));
  const age = (): number => performance.now() - readAt;
  return {
    async tenantOf(secret) {
      const hash = Buffer.from(hashSecret(secret), 'hex');
      const known = find(fixed, hash);
      if (known !== undefined) return known;
      if (age() > FRESH_MS) await read();
      const found = find(stored.bearers, hash);
      if (found !== undefined || age() < UNKNOWN_MS) return found;
      await read();
      return find(stored.bearers, hash);
    },
    async dateOrderOf(tenantId) {
      if (age() > FRESH_MS) await read();
      return Object.hasOwn(stored.dateOrders, tenantId) ? stored.dateOrders[tenantId] : undefined;
    },
  };
}

/** Looks at every entry in the same time, wherever the one that fits is. */
function find(bearers: readonly Bearer[], hash: Buffer): string | undefined {
  let tenant: string | undefined;
  for (const { tenantId, sha256, expiresAt = Infinity } of bearers) {
    if (timingSafeEqual(Buffer.from(sha256, 'hex'), hash) && expiresAt > Date.now()) tenant = tenantId;
  }
  return tenant;
}
