/**
 * Proxies, as `https_proxy`, `http_proxy` and `no_proxy` (or in capitals) name them: what lies elsewhere is reached through
 * them, what lies on this machine never is. Node's fetch and Temporal's connections do not read them alike by themselves.
 */
import { setGlobalProxyFromEnv } from 'node:http';
import { isIP } from 'node:net';

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const NAMES = ['http_proxy', 'https_proxy', 'no_proxy'] as const;

/** The same environment with this machine excepted from its proxies; unchanged when there are none. */
export function withoutLoopback(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const [http, https, excepted] = NAMES.map((name) => env[name] || env[name.toUpperCase()]);
  if (!http && !https && !env['grpc_proxy']) return env;
  const except = [...new Set([...(excepted ?? '').split(/[\s,]+/).filter(Boolean), ...LOOPBACK])].join(',');
  return {
    ...env,
    // gRPC reads small letters only.
    ...(http ? { http_proxy: http } : {}),
    ...(https ? { https_proxy: https } : {}),
    no_proxy: except,
    NO_PROXY: except,
    NODE_USE_ENV_PROXY: '1',
  };
}

/** Makes this process use the proxies of its environment. Call it before the first request. */
export function useProxies(): void {
  const env = withoutLoopback(process.env);
  if (env === process.env) return;
  Object.assign(process.env, env);
  setGlobalProxyFromEnv();
}

export interface HttpProxy {
  readonly type: 'http-connect';
  /** host:port */
  readonly targetHost: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
}

/** The proxy for gRPC to an address `host:port`; undefined: none. */
export function grpcProxy(address: string, env: NodeJS.ProcessEnv = process.env): HttpProxy | undefined {
  const { grpc_proxy, https_proxy, http_proxy, no_grpc_proxy, no_proxy = '' } = withoutLoopback(env);
  const proxy = grpc_proxy || https_proxy || http_proxy;
  if (!proxy || isLoopback(address) || isExcepted(hostOf(address), no_grpc_proxy ?? no_proxy)) return undefined;
  const { hostname, port, username, password } = new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
  const basicAuth = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  return { type: 'http-connect', targetHost: `${hostname}:${port || 80}`, ...(username ? { basicAuth } : {}) };
}

/** Whether `host:port` is on this machine. */
export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

const hostOf = (address: string): string =>
  address
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();

/** A name, or all names that end in it; `*` is every one. */
function isExcepted(host: string, list: string): boolean {
  const names = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  return names.some((name) => name === '*' || name === host || host.endsWith(`.${name.replace(/^\*?\./, '')}`));
}
