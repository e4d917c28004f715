/** A file from an address that an operator configured; private hosts are fine, its secrets stay in the environment. */
import { lookup } from 'node:dns/promises';
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { IntakeError } from '../../errors.ts';
import { urlForMessages } from './post.ts';
import { isPublicAddress } from '../../webhooks/publicAddress.ts';

/** Unpacked. */
const MAX_BYTES = 1024 ** 3;
const WHOLE_MS = 15 * 60_000;
const GZIP = Buffer.from([0x1f, 0x8b]);

/**
 * Downloads to a file below `folder`, unpacked where it is gzip.
 * @param address `http(s)://...`, or `env:NAME` for the address in that variable.
 * @throws IntakeError DOWNLOAD_FAILED (worth another attempt), DOWNLOAD_REFUSED; messages name host and path alone.
 */
export async function download(address: string, folder: string, signal: AbortSignal): Promise<string> {
  const url = addressOf(address);
  const place = urlForMessages(url.href);
  const target = join(
    folder,
    `download-${randomUUID()}`,
    url.pathname
      .split('/')
      .at(-1)
      ?.replace(/\.gz$/i, '')
      .replace(/[^\w.-]/g, '_') || 'download',
  );
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    const response = await follow(url, place, AbortSignal.any([signal, AbortSignal.timeout(WHOLE_MS)]));
    const { status } = response;
    if (!response.ok || !response.body)
      throw new IntakeError(
        status >= 500 || status === 408 || status === 429 ? 'DOWNLOAD_FAILED' : 'DOWNLOAD_REFUSED',
        `${place} answered ${status}`,
      );
    await write(Readable.fromWeb(response.body), target, place);
    if (await isGzip(target)) {
      await rename(target, `${target}.gz`);
      await write(createReadStream(`${target}.gz`), target, place, createGunzip());
    }
    return target;
  } catch (error) {
    await rm(dirname(target), { recursive: true, force: true });
    if (error instanceof IntakeError) throw error;
    const corrupt = String((error as NodeJS.ErrnoException).code).startsWith('Z_');
    throw corrupt
      ? new IntakeError('DOWNLOAD_REFUSED', `What ${place} gives is no whole gzip`, { cause: error })
      : new IntakeError('DOWNLOAD_FAILED', `${place} does not answer`, { cause: error });
  }
}

/** Answers that redirect, and how many of them are followed. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 5;

/** A redirect is somebody else's word: it leads to the internet or stays at its host, never from TLS to none, and gets no login of another origin. */
async function follow(from: URL, place: string, signal: AbortSignal): Promise<Response> {
  const { username, password, origin } = from;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  let url = new URL(from);
  for (let redirects = 0; ; redirects++) {
    url.username = url.password = '';
    const headers: Record<string, string> =
      username && url.origin === origin ? { authorization: `Basic ${Buffer.from(login).toString('base64')}` } : {};
    const response = await fetch(url, { signal, headers, redirect: 'manual' });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, url.href);
    if (redirects === MOST_REDIRECTS || !next || !(await mayFollow(from, url, next)))
      throw new IntakeError('DOWNLOAD_REFUSED', `${place} redirects to where it may not`, {
        remedy: 'Give the address that it leads to as --from, if it is yours.',
      });
    url = next;
  }
}

async function mayFollow(from: URL, url: URL, next: URL): Promise<boolean> {
  if (!/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:')) return false;
  if (next.host === from.host) return true;
  const addresses = await lookup(next.hostname.replace(/^\[|\]$/g, ''), { all: true });
  return addresses.every(({ address }) => isPublicAddress(address));
}

/** Takes a download away, folder and all; of another place nothing is removed, whoever asks. */
export async function discardDownload(path: string, folder: string): Promise<void> {
  const own = dirname(resolve(path));
  if (dirname(own) === resolve(folder) && basename(own).startsWith('download-'))
    await rm(own, { recursive: true, force: true });
}

function addressOf(address: string): URL {
  const [, name] = /^env:(\w+)$/.exec(address) ?? [];
  const url = URL.parse(name === undefined ? address : (process.env[name] ?? ''));
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new IntakeError(
    'DOWNLOAD_REFUSED',
    `${name === undefined ? 'The address' : `The variable ${name}`} holds no address`,
    {
      remedy: 'Set it in the environment of the worker of that host: https://...',
    },
  );
}

async function write(source: Readable, target: string, place: string, ...unpack: Transform[]): Promise<void> {
  let bytes = 0;
  const limit = new Transform({
    transform(block: Buffer, _, done) {
      bytes += block.length;
      done(bytes > MAX_BYTES ? new IntakeError('DOWNLOAD_REFUSED', `${place} gives more than 1 GB`) : null, block);
    },
  });
  await pipeline([source, ...unpack, limit, createWriteStream(target, { mode: 0o600 })]);
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close());
  return buffer.equals(GZIP);
}
