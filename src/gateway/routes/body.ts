/** Bodies in bounded memory: at most 5 MB each, also when unpacked. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Holding } from '../limits/budget.ts';
import { Problem } from '../problem.ts';

const unzip = promisify(gunzip);

/** The runbook's 5 MB. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

/**
 * Reads and unpacks a body and hands it over; its bytes are held until `use` has ended.
 * @throws Problem PAYLOAD_TOO_LARGE as soon as it is known, UNSUPPORTED_BODY, GATEWAY_BUSY.
 */
export async function withBody<T>(
  incoming: IncomingMessage,
  holding: Holding,
  use: (body: Buffer) => Promise<T>,
): Promise<T> {
  const {
    'content-type': type = 'application/json',
    'content-encoding': encoding = 'identity',
    'content-length': length,
  } = incoming.headers;
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type))
    throw new Problem('UNSUPPORTED_BODY', 'The body is not application/json');
  const zipped = /^(x-)?gzip$/i.test(encoding);
  if (!zipped && encoding.toLowerCase() !== 'identity')
    throw new Problem('UNSUPPORTED_BODY', 'This Content-Encoding is not known');
  if (Number(length ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  try {
    const sent = await read(incoming, holding);
    return await use(zipped ? await unpack(sent, holding) : sent);
  } finally {
    holding.release();
  }
}

async function read(incoming: IncomingMessage, holding: Holding): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed at the end of the loop: the answer goes over the same socket.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    await holding.take((chunk as Buffer).length);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, bytes);
}

async function unpack(sent: Buffer, holding: Holding): Promise<Buffer> {
  try {
    const body = await unzip(sent, { maxOutputLength: MAX_BODY_BYTES });
    await holding.take(body.length);
    return body;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    if (error instanceof Problem) throw error;
    throw new Problem('UNSUPPORTED_BODY', 'The body is not whole gzip');
  }
}

const tooLarge = (): Problem => new Problem('PAYLOAD_TOO_LARGE', `The body has more than ${MAX_BODY_BYTES} bytes`);
