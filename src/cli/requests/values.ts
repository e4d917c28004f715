/** Values of options that several commands take. */
import { IntakeError } from '../../errors.ts';
import { kindNamed } from '../../kinds/index.ts';
import type { RunDays } from '../../messages/schedules.ts';

/** @throws IntakeError USAGE; `remedy` says what to write. */
export function tenantNamed(name: string | undefined, remedy: string): string {
  const given = name?.trim() ?? '';
  if (given === '') throw new IntakeError('USAGE', 'Which tenant?', { remedy });
  if (given === '*')
    throw new IntakeError('USAGE', 'A tenant cannot be called *: that stands for all of them', { remedy });
  if (given.length > 100)
    throw new IntakeError('USAGE', `A tenant's name has 100 characters at most; this one has ${given.length}`, {
      remedy,
    });
  return given;
}

/** `--url`: where batches of projects are posted. It stands in Temporal, so it may hold no secret. @throws IntakeError USAGE. */
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

/** @throws IntakeError USAGE. */
export function parseBatchSize(text: string): number {
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1 || size > 5000)
    throw new IntakeError('USAGE', '--batch-size is a number from 1 to 5000');
  return size;
}

/** `--runs-days [KIND=]N`, again for another kind. @throws IntakeError USAGE. */
export function parseRunDays(text: string, former: RunDays = {}): RunDays {
  const at = text.lastIndexOf('=');
  return { ...former, [at < 0 ? '*' : kindNamed(text.slice(0, at)).name]: parseDays(text.slice(at + 1)) };
}

/** @throws IntakeError USAGE. */
export function parseDays(text: string): number {
  const days = Number(text);
  if (text.trim() === '' || !Number.isInteger(days) || days < 1 || days > 36_500)
    throw new IntakeError('USAGE', `'${text}' is not a number of days`);
  return days;
}
