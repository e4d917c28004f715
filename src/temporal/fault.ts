/**
 * What Temporal refuses, in one translation for every call of clients and workers: gRPC's status and words -> Intake's codes. Known by its
 * form, so that a command which never asks Temporal does not load its client.
 */
import type { Logger } from 'pino';
import { IntakeError } from '../errors.ts';
import { shellWord } from '../values/text.ts';
import { attributeRemedy } from './searchAttributes.ts';

/** Statuses of gRPC by the name that the native client prints. */
const STATUS = {
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Unimplemented: 12,
  Unavailable: 14,
  Unauthenticated: 16,
} as const;

const NATIVE: readonly (readonly [name: keyof typeof STATUS, words: RegExp])[] = [
  ['PermissionDenied', /^PermissionDenied|not have permission/],
  ['Unauthenticated', /^Unauthenticated|valid authentication credentials/],
  ['ResourceExhausted', /^ResourceExhausted|resource has been exhausted/],
  ['NotFound', /^NotFound|entity was not found/],
  ['InvalidArgument', /^InvalidArgument|invalid argument/],
  ['Unimplemented', /^Unimplemented|not implemented/],
  ['DeadlineExceeded', /^DeadlineExceeded|Deadline expired/],
  ['Unavailable', /^Unavailable|currently unavailable/],
];

interface Refusal {
  readonly status: number;
  readonly details: string;
}

const ASK_AGAIN = 'It is asked again; an import that runs goes on.';

/** An IntakeError for what Temporal said; undefined when this is no word of Temporal's. */
export function temporalFault(error: unknown): IntakeError | undefined {
  if (error instanceof IntakeError) return error;
  const refusal = refusalOf(error);
  if (!refusal) return undefined;
  const { status, details } = refusal;
  const is = (code: ConstructorParameters<typeof IntakeError>[0], message: string, remedy?: string) =>
    new IntakeError(code, message, { cause: error, ...(remedy ? { remedy } : {}) });
  const namespace = namespaceOf(details);
  if (/search attribute/i.test(details))
    return is(
      'CONFIG_INVALID',
      `Temporal refuses the search attributes of Intake: ${attributeWords(details)}`,
      attributeRemedy({ namespace }),
    );
  switch (status) {
    case STATUS.NotFound:
      return /namespace/i.test(details)
        ? is(
            'CONFIG_INVALID',
            `TEMPORAL_NAMESPACE: Temporal has no namespace${namespace ? ` '${namespace}'` : ' of that name'}`,
            `Correct TEMPORAL_NAMESPACE (in Temporal Cloud it is <name>.<account>), or create it: temporal operator namespace create --namespace ${namespace ? shellWord(namespace) : 'NAME'} (with --address, where Temporal is not at 127.0.0.1:7233).`,
          )
        : undefined;
    case STATUS.PermissionDenied:
    case STATUS.Unauthenticated:
      return is('TEMPORAL_DENIED', `Temporal refuses the key or certificate (gRPC ${status}${sentence(details)})`);
    case STATUS.ResourceExhausted:
      return is('TEMPORAL_BUSY', `Temporal asks for fewer requests${sentence(details)}`);
    case STATUS.InvalidArgument:
      return /length limit|too long|exceeds.*(length|size)/i.test(details)
        ? is(
            'USAGE',
            `A name is too long for Temporal${sentence(details)}`,
            'Give shorter --source-system, --tag or --id.',
          )
        : undefined;
    case STATUS.Unimplemented:
      return is(
        'TEMPORAL_UNAVAILABLE',
        'What answers at TEMPORAL_ADDRESS is no Temporal, or one that is too old',
        'Check TEMPORAL_ADDRESS: it is the gRPC address, usually port 7233.',
      );
    case STATUS.Unavailable:
    case STATUS.DeadlineExceeded:
      return is('TEMPORAL_UNAVAILABLE', `Temporal does not answer${sentence(details)}`, ASK_AGAIN);
    default:
      return undefined;
  }
}

/** The words of the server, without a dot at their end; they name settings and limits, never values of rows. */
const sentence = (details: string): string => {
  const words = details.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 160);
  return words && `: ${words}`;
};

function refusalOf(error: unknown): Refusal | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code, details, metadata } = cause as { code?: unknown; details?: unknown; metadata?: unknown };
    if (typeof code === 'number' && typeof details === 'string' && metadata !== undefined)
      return { status: code, details: details || cause.message };
    if (cause.name === 'NamespaceNotFoundError') return { status: STATUS.NotFound, details: cause.message };
    // The native client has its status in the text alone, by name or by sentence.
    const [, said] = /\b(?:code|status): ["']?([A-Z][^,"']*)/.exec(cause.message) ?? [];
    const [name] = said === undefined ? [] : (NATIVE.find(([, words]) => words.test(said)) ?? []);
    if (name) return { status: STATUS[name], details: /message: "([^"]*)"/.exec(cause.message)?.[1] || cause.message };
    if (/^Namespace \S+ was not found/.test(cause.message)) return { status: STATUS.NotFound, details: cause.message };
  }
  return undefined;
}

const namespaceOf = (details: string): string | undefined =>
  /namespace(?: not found)?:? '?"?([\w.-]+?)'?"?(?: (?:is|was|has)\b|$)/i.exec(details)?.[1];

/** Which one, and what is wrong with it. */
function attributeWords(details: string): string {
  const [, typed, type] = /search attribute (\w+) of type (\w+)/i.exec(details) ?? [];
  if (typed) return `${typed} is of type ${type}, and must be Keyword`;
  const [name] = /\bIntake\w+/.exec(details) ?? [];
  return name ? `${name} is not registered` : details.slice(0, 160);
}

/**
 * Why a connection could not be made: what was refused, else what a probe of the address finds.
 * @param probe see probe.ts; asked only when Temporal said nothing itself.
 */
export async function connectFault(
  cause: unknown,
  address: string,
  probe: () => Promise<IntakeError | undefined>,
): Promise<IntakeError> {
  const said = temporalFault(cause);
  if (said && said.code !== 'TEMPORAL_UNAVAILABLE') return said;
  const found = await probe().catch(() => undefined);
  return found ?? said ?? new IntakeError('TEMPORAL_UNAVAILABLE', `Temporal does not answer at ${address}`, { cause });
}

/** Ends a program by one line of its log, with the code of the error and its exit code. */
export function endWith(error: unknown, log: Logger): never {
  const known = temporalFault(error) ?? new IntakeError('INTERNAL', 'An unexpected error', { cause: error });
  const { code, remedy, message, exitCode } = known;
  log.fatal({ code, remedy, ...(code === 'INTERNAL' ? { err: error } : {}) }, message);
  process.exit(exitCode);
}
