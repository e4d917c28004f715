/**
 * observability/: Logs, redaction, metrics, traces.
 *
 * Logs: pino to stderr, every text redacted, errors reduced to what holds no row data.
 */
import { pino, type Logger, type DestinationStream } from 'pino';
import { printable } from './printable.ts';
import { redact } from './redact.ts';

/** Texts of these fields come from databases and drivers and may quote a row: only code, name and stack frames are kept. */
function serializeError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return { type: typeof error };
  // Errors of threads and of the SDK come from other realms: they are told by their shape.
  const { name, code, severity, table, column, constraint, routine, stack, cause } = error as Record<string, unknown>;
  const frames =
    typeof stack === 'string'
      ? stack
          .split('\n')
          .filter((line) => line.trimStart().startsWith('at '))
          .slice(0, 8)
      : [];
  return {
    type: name,
    code,
    severity,
    table,
    column,
    constraint,
    routine,
    frames,
    ...(cause ? { cause: serializeError(cause) } : {}),
  };
}

function redactDeep(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || depth > 6) return value;
  if ('stack' in value) return redactDeep(serializeError(value), depth);
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item, depth + 1)]));
}

export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (fields: unknown) => fields }, // reduced below, with everything else
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactDeep(fields) as Record<string, unknown>,
      },
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((arg) => (typeof arg === 'string' ? redact(arg) : arg)) as Parameters<typeof method>,
          );
        },
      },
    },
    { write: (line) => void destination.write(printable(line, { lines: true })) },
  );
}
