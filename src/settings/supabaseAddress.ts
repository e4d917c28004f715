/** SUPABASE_URL and the keys of a project, told apart before anything is asked of them. */

/** The address without a slash at its end, or what is wrong with it. */
export function parseSupabaseUrl(text: string): { readonly url: string } | string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return 'write it as https://<project-ref>.supabase.co';
  }
  if (!/^https?:$/.test(url.protocol)) return 'write it as https://<project-ref>.supabase.co';
  if (url.username || url.password) return 'it holds a user or password; keys have settings of their own';
  if (/(^|\.)supabase\.com$/.test(url.hostname))
    return "it is the dashboard's address; write the project's own: https://<project-ref>.supabase.co";
  if (url.pathname.replace(/\/+$/, '') !== '' || url.search || url.hash)
    return `it has a path; write it as ${url.origin}`;
  return { url: url.origin };
}

interface Claims {
  readonly role?: unknown;
  readonly ref?: unknown;
  readonly exp?: unknown;
}

export interface KeyOptions {
  /** What the setting is for. */
  readonly want: 'secret' | 'public';
  /** The project's address where it is known. */
  readonly url: string | undefined;
  /** Milliseconds. */
  readonly now?: number;
}

/** What is wrong with a key, by its own words; undefined when nothing is, or it has none. */
export function keyFault(key: string, { want, url, now = Date.now() }: KeyOptions): string | undefined {
  if (/\s/.test(key.trim())) return 'it holds blanks or line ends; copy it anew';
  if (want === 'secret' && key.startsWith('sb_publishable_'))
    return 'it is the publishable key; give the secret one (sb_secret_...)';
  if (want === 'public' && key.startsWith('sb_secret_'))
    return 'it is the secret key, which opens everything; give the publishable one (sb_publishable_...)';
  const claims = claimsOf(key);
  if (!claims) return undefined;
  const { role, ref, exp } = claims;
  if (want === 'secret' && (role === 'anon' || role === 'authenticated'))
    return `it is a key of role ${role}; give the one of service_role, or the secret key`;
  if (want === 'public' && role === 'service_role')
    return 'it is the key of service_role, which opens everything; give the one of anon, or the publishable key';
  const project = url && /^([a-z0-9]{20})\.supabase\.(co|red)$/.exec(new URL(url).hostname)?.[1];
  if (project && typeof ref === 'string' && ref !== project)
    return `it is a key of another project than SUPABASE_URL's`;
  if (typeof exp === 'number' && exp * 1000 < now)
    return `it expired on ${new Date(exp * 1000).toISOString().slice(0, 10)}; make a new one`;
  return undefined;
}

/** The payload of a JWT; it is not verified, only read. */
function claimsOf(key: string): Claims | undefined {
  const parts = key.trim().split('.');
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
