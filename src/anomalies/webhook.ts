/** Posts JSON to the address an operator configured, and to nothing on this host or its networks unless that is allowed. */
import { lookup } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { IntakeError } from '../errors.ts';

export interface WebhookOptions {
  /** Whether the target may be this host or a private network. */
  readonly allowPrivate?: boolean;
  /** For the whole call, milliseconds. */
  readonly timeoutMs?: number;
}

/** Not of the public internet (IANA's registries of special addresses). */
const SPECIAL_4 = blockList('ipv4', [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);
/** All that is public; it leaves out `::1`, IPv4-mapped and translated, unique local, link-local and multicast addresses. */
const GLOBAL_6 = blockList('ipv6', ['2000::/3']);
/** Within that: Teredo and other protocols, documentation, 6to4. */
const SPECIAL_6 = blockList('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

function blockList(type: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net, prefix] = subnet.split('/') as [string, string];
    list.addSubnet(net, Number(prefix), type);
  }
  return list;
}

/** Whether an address is of the public internet; false for a text that is none. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !SPECIAL_4.check(address, 'ipv4');
  return family === 6 && GLOBAL_6.check(address, 'ipv6') && !SPECIAL_6.check(address, 'ipv6');
}

/**
 * Posts a document as JSON and resolves when the answer is 2xx. Redirects are not followed, answers are not read.
 * @throws IntakeError WEBHOOK_REFUSED for a target that is not public; WEBHOOK_FAILED for no answer within ten seconds or another status.
 * Messages name host and status alone: paths and queries of webhooks are secrets.
 */
export function postWebhook(
  url: string,
  payload: object,
  { allowPrivate = false, timeoutMs = 10_000 }: WebhookOptions = {},
): Promise<void> {
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const refused = (): IntakeError =>
    new IntakeError('WEBHOOK_REFUSED', `The webhook's host ${host} is not on the public internet`);
  const failed = (what: string, cause?: unknown): IntakeError =>
    new IntakeError('WEBHOOK_FAILED', `The webhook at ${host} ${what}`, { cause });
  if (!allowPrivate && isIP(host) && !isPublicAddress(host)) return Promise.reject(refused());

  // The connection goes to the very addresses that were looked at: a name that changes its answer is no way around.
  const lookupChecked: LookupFunction = (name, options, callback) =>
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const problem =
        error ?? (allowPrivate || addresses.every(({ address }) => isPublicAddress(address)) ? null : refused());
      if (problem) callback(problem, []);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  const body = JSON.stringify(payload);
  return new Promise((resolve, reject) => {
    const call = (target.protocol === 'https:' ? requestHttps : requestHttp)(
      target,
      {
        method: 'POST',
        agent: false,
        lookup: lookupChecked,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'intake',
        },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.on('error', () => undefined).destroy();
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(failed(`answers ${statusCode}`));
      },
    );
    call.once('error', (error: NodeJS.ErrnoException) => {
      if (error instanceof IntakeError) reject(error);
      else
        reject(
          failed(
            error.name === 'TimeoutError' || error.name === 'AbortError'
              ? 'does not answer in time'
              : `cannot be reached (${error.code ?? error.name})`,
            error,
          ),
        );
    });
    call.end(body);
  });
}
