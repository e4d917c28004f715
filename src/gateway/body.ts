/** Bodies in bounded memory: at most 5 MB each, also when unpacked, and at most so much of all together. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Problem } from './problem.ts';

const unzip = promisify(gunzip);

/** The runbook's 5 MB. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/** Counts the bytes that are held for requests. */
export interface ByteBudget {
  /** @throws Problem GATEWAY_BUSY when there is no room. */
  take(tenantId: string, bytes: number): void;
  give(tenantId: string, bytes: number): void;
}

/** @param total bytes for all; one tenant gets half of it, so that its slow clients leave room for others. */
export function createByteBudget(total: number): ByteBudget {
  const held = new Map<string, number>();
  let sum = 0;
  return {
    take(tenantId, bytes) {
      const own = (held.get(tenantId) ?? 0) + bytes;
      if (sum + bytes > total || own > total / 2) throw new Problem('GATEWAY_BUSY', 'Too many bodies are being received', { retryAfter: 2 });
      sum += bytes;
      held.set(tenantId, own);
    },
    give(tenantId, bytes) {
      sum -= bytes;
      const own = (held.get(tenantId) ?? 0) - bytes;
      if (own > 0) held.set(tenantId, own);
      else held.delete(tenantId);
    },
  };
}

/**
 * Reads and unpacks a body and hands it over; its bytes are counted until `use` has ended.
 * @throws Problem PAYLOAD_TOO_LARGE as soon as it is known, UNSUPPORTED_BODY, GATEWAY_BUSY.
 */
export async function withBody<T>(incoming: IncomingMessage, tenantId: string, budget: ByteBudget, use: (body: Buffer) => T): Promise<T> {
  const { 'content-type': type = 'application/json', 'content-encoding': encoding = 'identity', 'content-length': length } = incoming.headers;
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) throw new Problem('UNSUPPORTED_BODY', 'The body is not application/json');
  const zipped = /^(x-)?gzip$/i.test(encoding);
  if (!zipped && encoding.toLowerCase() !== 'identity') throw new Problem('UNSUPPORTED_BODY', 'This Content-Encoding is not known');
  if (Number(length ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  let held = 0;
  const take = (bytes: number): void => {
    budget.take(tenantId, bytes);
    held += bytes;
  };
  try {
    const sent = await read(incoming, take);
    return use(zipped ? await unpack(sent, take) : sent);
  } finally {
    budget.give(tenantId, held);
  }
}

async function read(incoming: IncomingMessage, take: (bytes: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed at the end of the loop: the answer goes over the same socket.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    take((chunk as Buffer).length);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, bytes);
}

async function unpack(sent: Buffer, take: (bytes: number) => void): Promise<Buffer> {
  try {
    const body = await unzip(sent, { maxOutputLength: MAX_BODY_BYTES });
    take(body.length);
    return body;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    if (error instanceof Problem) throw error;
    throw new Problem('UNSUPPORTED_BODY', 'The body is not whole gzip');
  }
}

const tooLarge = (): Problem => new Problem('PAYLOAD_TOO_LARGE', `The body has more than ${MAX_BODY_BYTES} bytes`);
