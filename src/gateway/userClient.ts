/** Calls of Supabase's API as the signed-in person: their token goes along, so row level security and their roles decide. */
import { createClient } from '@supabase/supabase-js';
import { rememberingFetch } from '../database/http.ts';
import { sqlError } from '../database/sqlError.ts';
import type { SupabaseConfig } from '../config.ts';
import { Problem } from './problem.ts';
import type { UserAnswer, UserArguments, UserFunction } from './userFunctions.ts';

export interface UserClient {
  /**
   * Calls a function of schema `public` with named arguments.
   * @param limit of rows.
   * @returns its scalar or JSON, or its rows.
   * @throws Problem UNAUTHORIZED for a token that does not hold, FORBIDDEN where the role is missing; IntakeError of the database.
   */
  call<N extends UserFunction>(
    fn: N,
    args: UserArguments<N>,
    options?: { readonly limit?: number },
  ): Promise<UserAnswer<N>>;
}

const ANSWER_MS = 15_000;

/**
 * @param jwt access token of Supabase Auth.
 * @throws Problem NOT_CONFIGURED without SUPABASE_URL and SUPABASE_ANON_KEY.
 */
export function asUser(supabase: SupabaseConfig | undefined, jwt: string): UserClient {
  if (!supabase?.anonKey)
    throw new Problem('NOT_CONFIGURED', 'SUPABASE_URL and SUPABASE_ANON_KEY are not set: nobody can be signed in');
  const requests = rememberingFetch('The API', ANSWER_MS);
  const client = createClient(supabase.url, supabase.anonKey, {
    accessToken: async () => jwt,
    global: { fetch: requests.fetch },
  });
  return {
    async call<N extends UserFunction>(
      fn: N,
      args: UserArguments<N>,
      { limit }: { readonly limit?: number } = {},
    ): Promise<UserAnswer<N>> {
      const asked = client.rpc(fn, args);
      const { data, error, status } = await (limit === undefined ? asked : asked.limit(limit));
      if (!error) return data as UserAnswer<N>;
      // The API answers 401 to a token that it cannot read, and to anon, who has no rights at all; 403 to people without the role.
      if (status === 401)
        throw new Problem('UNAUTHORIZED', 'The token is not valid, or no longer', {
          cause: error,
          remedy: 'Sign in again, and send the new access token.',
        });
      if (status === 403 || error.code === '42501')
        throw new Problem('FORBIDDEN', 'Your roles do not open this', { cause: error });
      throw (status === 0 && requests.fault()) || sqlError(error, status);
    },
  };
}
