/** Bodies in bounded memory: at most 5 MB each, also when unpacked. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Holding } from '../limits/budget.ts';
import { Problem } from '../problem.ts';

const unzip = promisify(gunzip);

/** The runbook's 5 MB. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** A batch is an object with a list of flat objects, 5000 at most. */
const MAX_DEPTH = 16;
const MAX_CONTAINERS = 50_000;
const MAX_MEMBERS = 500_000;

/**
 * Reads and unpacks a body and hands it over; its bytes are held until `use` has ended.
 * @throws Problem PAYLOAD_TOO_LARGE as soon as it is known, UNSUPPORTED_BODY, MALFORMED_JSON, INVALID_ROWS, GATEWAY_BUSY.
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
    const body = zipped ? await unpack(sent, holding) : sent;
    assertPlain(body);
    return await use(body);
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

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPENS = new Set([0x5b, 0x7b]);
const CLOSES = new Set([0x5d, 0x7d]);

/**
 * Looks at the brackets and colons of JSON before it is parsed: parsing millions of them, which 5 KB of gzip can hold, would
 * keep all others waiting. One pass over the bytes, ended at the first excess.
 * @throws Problem MALFORMED_JSON, INVALID_ROWS.
 */
function assertPlain(json: Buffer): void {
  let [depth, containers, members] = [0, 0, 0];
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) at = endOfString(json, at + 1);
    else if (OPENS.has(byte)) {
      if (++depth > MAX_DEPTH) throw new Problem('MALFORMED_JSON', `The body is nested more than ${MAX_DEPTH} deep`);
      if (++containers > MAX_CONTAINERS) throw tooMuch(`more than ${MAX_CONTAINERS} lists and objects`);
    } else if (CLOSES.has(byte)) depth--;
    else if (byte === COLON && ++members > MAX_MEMBERS) throw tooMuch(`more than ${MAX_MEMBERS} fields`);
  }
}

function endOfString(json: Buffer, from: number): number {
  let end = json.indexOf(QUOTE, from);
  while (end !== -1) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = json.indexOf(QUOTE, end + 1);
  }
  return json.length;
}

const tooMuch = (what: string): Problem =>
  new Problem('INVALID_ROWS', `The body has ${what}`, { issues: [{ path: 'rows', message: what }] });

const tooLarge = (): Problem => new Problem('PAYLOAD_TOO_LARGE', `The body has more than ${MAX_BODY_BYTES} bytes`);
