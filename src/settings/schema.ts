/** The environment variables that Intake reads: their forms and defaults, and what is wrong with a value. */
import { hostname } from 'node:os';
import * as v from 'valibot';

const ADDRESS = /^(([\w.-]+|\[[\da-f:]+\]):)?\d{1,5}$/i;
const isPort = (text: string): boolean => Number(/\d+$/.exec(text)?.[0]) <= 65_535;
const text = v.string();
const trimmed = v.pipe(text, v.trim());
const listen = (message: string) => v.pipe(text, v.regex(ADDRESS, message), v.check(isPort, 'a port is at most 65535'));
function integer(min: number, max: number, fallback: number) {
  const wanted = `write a whole number from ${min} to ${max}`;
  const number = v.pipe(
    text,
    v.transform(Number),
    v.number(wanted),
    v.integer(wanted),
    v.minValue(min, `at least ${min}`),
    v.maxValue(max, `at most ${max}`),
  );
  return v.optional(number, String(fallback));
}
const isWebAddress = (address: string): boolean => URL.canParse(address) && /^https?:/.test(new URL(address).protocol);
const webAddress = () => v.pipe(trimmed, v.check(isWebAddress, 'write it as http://host or https://host'));
const oneOf = <const T extends readonly string[]>(words: T) => v.picklist(words, `one of ${words.join(', ')}`);

export const SETTINGS = v.object({
  INTAKE_DIR: v.optional(text, '.intake'),
  SUPABASE_MODE: v.optional(text),
  INTAKE_HOST: v.optional(
    v.pipe(text, v.regex(/^[\w.-]{1,120}$/, 'only letters, digits, dot, dash')),
    hostname().replace(/[^\w.-]/g, '-'),
  ),
  INTAKE_TASK_QUEUE: v.optional(v.pipe(text, v.minLength(1)), 'intake'),
  INTAKE_BACKEND: v.optional(oneOf(['postgres', 'postgresql', 'supabase'])),
  INTAKE_OBJECTS_DIR: v.optional(text),
  INTAKE_FILES: v.optional(text, ''),
  INTAKE_CHUNK_BYTES: integer(4096, 64 * 1024 * 1024, 2 * 1024 * 1024),
  INTAKE_WINDOW: integer(1, 64, 3),
  INTAKE_PARTITION_ROWS: integer(100, 200_000, 25_000),
  TEMPORAL_ADDRESS: v.optional(
    v.pipe(
      trimmed,
      v.regex(/^([^:/\s]+|\[[\da-f:]+\]):\d{1,5}$/i, 'write it as host:port, without https://'),
      v.check(isPort, 'a port is at most 65535'),
    ),
  ),
  TEMPORAL_NAMESPACE: v.optional(text, 'default'),
  TEMPORAL_API_KEY: v.optional(text),
  TEMPORAL_TLS_CERT: v.optional(text),
  TEMPORAL_TLS_KEY: v.optional(text),
  DATABASE_URL: v.optional(trimmed),
  SUPABASE_URL: v.optional(trimmed),
  SUPABASE_SERVICE_ROLE_KEY: v.optional(trimmed),
  SUPABASE_SECRET_KEY: v.optional(trimmed),
  SUPABASE_ANON_KEY: v.optional(trimmed),
  SUPABASE_PUBLISHABLE_KEY: v.optional(trimmed),
  INTAKE_COMPRESSION: v.optional(oneOf(['none', 'gzip']), 'none'),
  INTAKE_METRICS_ADDRESS: v.optional(listen('write it as host:port, or a port of 127.0.0.1')),
  INTAKE_PORT: v.optional(listen('write it as a port of 127.0.0.1, or host:port'), '8787'),
  PROJECTS_IMPORT_BEARER: v.optional(text, ''),
  INTAKE_ALLOWED_ORIGINS: v.optional(
    v.pipe(
      text,
      v.transform((list) =>
        list
          .split(',')
          .map((origin) => origin.trim())
          .filter(Boolean),
      ),
      v.check(
        (list) => list.every((origin) => isWebAddress(origin) && new URL(origin).origin === origin),
        'write each as https://host or https://host:port, as browsers do, with commas between',
      ),
    ),
    '',
  ),
  INTAKE_GATEWAY_URL: v.optional(webAddress()),
  INTAKE_TEMPORAL_UI: v.optional(webAddress()),
  ANOMALIES_ALERT_WEBHOOK: v.optional(webAddress()),
  ANOMALIES_ALERT_WINDOW_HOURS: integer(1, 24 * 14, 1),
  ANOMALIES_ALERT_MIN_COUNT: integer(1, 1_000_000_000, 1),
  ANOMALIES_ALERT_ALLOW_PRIVATE: v.optional(oneOf(['true', 'false']), 'false'),
  INTAKE_NOTIFY_WEBHOOK: v.optional(webAddress()),
  INTAKE_NOTIFY_ALLOW_PRIVATE: v.optional(oneOf(['true', 'false']), 'false'),
  OTEL_EXPORTER_OTLP_ENDPOINT: v.optional(webAddress()),
  OTEL_SERVICE_NAME: v.optional(text, 'intake'),
  LOG_LEVEL: v.optional(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), 'info'),
});
