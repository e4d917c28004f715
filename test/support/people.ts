/** People of Supabase Auth: made by the service key, since nobody signs up by themselves. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';

export interface Person {
  readonly id: string;
  readonly accessToken: string;
  /** Signed in as this person. */
  readonly client: SupabaseClient;
}

export async function makePerson(
  api: { readonly url: string; readonly anonKey: string; readonly serviceRoleKey: string },
  email: string,
  password: string,
): Promise<Person> {
  const open = (key: string): SupabaseClient =>
    createClient(api.url, key, { auth: { persistSession: false, autoRefreshToken: false } });
  const made = await open(api.serviceRoleKey).auth.admin.createUser({ email, password, email_confirm: true });
  if (made.error) throw made.error;
  const client = open(api.anonKey);
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return { id: made.data.user.id, accessToken: data.session.access_token, client };
}
