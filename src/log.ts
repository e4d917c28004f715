/** Logs: pino to stderr, every text redacted, errors reduced to what holds no row data. */
import { pino, type Logger, type DestinationStream } from 'pino';
import { redact } from './redact.ts';

/** Texts of these fields come from databases and drivers and may quote a row: only code, name and stack frames are kept. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error, code: (error as { code?: string } | null)?.code };
  const { code, severity, schema_name, table_name, column_name, constraint_name, routine } = error as Error & Record<string, string | undefined>;
  return {
    type: error.name, code, severity, schema: schema_name, table: table_name, column: column_name, constraint: constraint_name, routine,
    stack: error.stack?.split('\n').filter((line) => line.trimStart().startsWith('at ')).slice(0, 8).join('\n'),
    ...(error.cause ? { cause: serializeError(error.cause) } : {}),
  };
}

function redactDeep(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || depth > 6) return value;
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactDeep(item, depth + 1)]));
}

export function createLogger(level: string, destination: DestinationStream = pino.destination({ dest: 2, sync: true })): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
      formatters: { level: (label) => ({ level: label }), log: (fields) => redactDeep(fields) as Record<string, unknown> },
      hooks: {
        logMethod(args, method) {
          method.apply(this, args.map((arg) => (typeof arg === 'string' ? redact(arg) : arg)) as Parameters<typeof method>);
        },
      },
    },
    destination,
  );
}
