/** What handlers know of a request. */
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

export interface GatewayEnv {
  Bindings: HttpBindings;
  Variables: {
    /** From the batch, the header X-Correlation-Id, or made here. */
    correlationId: string;
    /** The header X-Correlation-Id as it came. */
    correlationAsked?: string;
    /** Why that header was not used. */
    correlationUnused?: string;
    tenantId?: string;
    rows?: number;
  };
}

/** Browsers ask for HTML and have no bearer. */
export const asksForPage = (c: Context): boolean =>
  c.req.method === 'GET' &&
  c.req.header('authorization') === undefined &&
  c.req.header('accept')?.includes('text/html') === true;
