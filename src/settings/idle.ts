/** Settings that count for nothing without another one: whoever gives them means a deployment, and gets none. */

const NEEDED = {
  TEMPORAL_ADDRESS: ['TEMPORAL_NAMESPACE', 'TEMPORAL_API_KEY', 'TEMPORAL_TLS_CERT', 'TEMPORAL_TLS_KEY'],
  SUPABASE_URL: ['SUPABASE_SERVICE_ROLE_KEY', 'SUPABASE_SECRET_KEY', 'SUPABASE_ANON_KEY', 'SUPABASE_PUBLISHABLE_KEY'],
} as const;
const DEPLOYMENT = ['TEMPORAL_ADDRESS', 'DATABASE_URL', 'SUPABASE_URL'];

/** A sentence for each setting that is missing. */
export function idleSettings(env: NodeJS.ProcessEnv): string[] {
  const isSet = (name: string): boolean => Boolean(env[name]?.trim());
  const embedded = !DEPLOYMENT.some(isSet);
  return Object.entries(NEEDED).flatMap(([needed, names]) => {
    if (isSet(needed)) return [];
    const idle = names.filter((name) => isSet(name) && !(name === 'TEMPORAL_NAMESPACE' && env[name] === 'default'));
    if (idle.length === 0) return [];
    const instead = embedded
      ? `the embedded stack is used, and nothing of ${idle.join(', ')}`
      : needed === 'TEMPORAL_ADDRESS'
        ? `${idle.join(', ')} go to 127.0.0.1:7233`
        : `nothing is done with ${idle.join(', ')}`;
    return [`${needed} is not set: ${instead}`];
  });
}
