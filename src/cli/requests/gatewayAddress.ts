/** `--url`: where batches of projects are posted. It stands in Temporal, so it may hold no secret. */
import { IntakeError } from '../../errors.ts';

/** @throws IntakeError USAGE. */
export function gatewayAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new IntakeError('USAGE', '--url is an address such as https://gateway.example.com');
  if (url.username || url.password || url.search)
    throw new IntakeError('USAGE', '--url holds no user and no query', {
      remedy: 'Secrets come from PROJECTS_IMPORT_BEARER.',
    });
  return text;
}
