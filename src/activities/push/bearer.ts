/** The secret a push posts with: the configured one of its tenant, else one that the database lends for some minutes. */
import type { Backend } from '../../database/backend.ts';
import { IntakeError, unknownTenant } from '../../errors.ts';
import { hashSecret, newSecret } from '../../database/secrets.ts';

export interface TemporaryBearer {
  readonly secret: string;
  /** Whether a gateway may not know it yet. */
  readonly fresh: boolean;
}

const MINUTES = 15;
/** The secret has to open when the request arrives, not when it is answered. */
const EXPIRY_MARGIN_MS = 5 * 60_000;
/** How long a gateway may go on with what it has read. */
export const PROPAGATION_MS = 1_500;

interface Lent {
  readonly secret: string;
  readonly lentAt: number;
}

/** Lends one secret a tenant and process; only its hash reaches the database. */
export function createTokenIssuer(): (backend: Backend, tenantId: string) => Promise<TemporaryBearer> {
  const lent = new Map<string, Lent>();
  return async (backend, tenantId) => {
    const key = `${backend.name} ${tenantId}`;
    const known = lent.get(key);
    if (known && Date.now() - known.lentAt < MINUTES * 60_000 - EXPIRY_MARGIN_MS) {
      return { secret: known.secret, fresh: Date.now() - known.lentAt < 2 * PROPAGATION_MS };
    }
    const secret = newSecret();
    const until = await backend
      .call('lend_bearer', { tenant_id: tenantId, bearer_sha256: hashSecret(secret), minutes: MINUTES })
      .catch((cause: unknown) => {
        if (!(cause instanceof IntakeError) || cause.code !== 'DATABASE_DENIED') throw cause;
        throw new IntakeError('GATEWAY_REFUSED', `This worker may lend itself no bearer of ${tenantId}`, {
          cause,
          remedy: `Set PROJECTS_IMPORT_BEARER=${tenantId}=SECRET for the worker, or give its database user the role dragonfly_gateway.`,
        });
      });
    if (until === null) throw unknownTenant(tenantId);
    lent.set(key, { secret, lentAt: Date.now() });
    return { secret, fresh: true };
  };
}
