/** The environment variables that Intake reads: their forms and defaults, and what is wrong with a value. */
import { hostname } from 'node:os';
import { z } from 'zod';

const ADDRESS = /^(([\w.-]+|\[[\da-f:]+\]):)?\d{1,5}$/i;
/** What is no address at all is told by its pattern. */
const isPort = (text: string): boolean => Number(/\d+$/.exec(text)?.[0] ?? 0) <= 65_535;
const listen = (message: string) => z.string().regex(ADDRESS, message).refine(isPort, 'a port is at most 65535');
const integer = (min: number, max: number, fallback: number) =>
  z.coerce
    .number({ error: `write a whole number from ${min} to ${max}` })
    .int(`write a whole number from ${min} to ${max}`)
    .min(min, `at least ${min}`)
    .max(max, `at most ${max}`)
    .default(fallback);
const webAddress = () => z.url({ protocol: /^https?$/, error: 'write it as http://host or https://host' });
const oneOf = <const T extends readonly string[]>(words: T) => z.enum(words, { error: `one of ${words.join(', ')}` });

export const SETTINGS = z.object({
  INTAKE_DIR: z.string().default('.intake'),
  SUPABASE_MODE: z.string().optional(),
  INTAKE_HOST: z
    .string()
    .regex(/^[\w.-]{1,120}$/, 'only letters, digits, dot, dash')
    .default(hostname().replace(/[^\w.-]/g, '-')),
  INTAKE_TASK_QUEUE: z.string().min(1).default('intake'),
  INTAKE_BACKEND: oneOf(['postgres', 'postgresql', 'supabase']).optional(),
  INTAKE_OBJECTS_DIR: z.string().optional(),
  INTAKE_FILES: z.string().default(''),
  INTAKE_CHUNK_BYTES: integer(4096, 64 * 1024 * 1024, 2 * 1024 * 1024),
  INTAKE_WINDOW: integer(1, 64, 3),
  INTAKE_PARTITION_ROWS: integer(100, 200_000, 25_000),
  TEMPORAL_ADDRESS: z
    .string()
    .trim()
    .regex(/^([^:/\s]+|\[[\da-f:]+\]):\d{1,5}$/i, 'write it as host:port, without https://')
    .refine(isPort, 'a port is at most 65535')
    .optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS_CERT: z.string().optional(),
  TEMPORAL_TLS_KEY: z.string().optional(),
  DATABASE_URL: z.string().trim().optional(),
  SUPABASE_URL: z.string().trim().optional(),
  SUPABASE_SERVICE_ROLE_KEY: z.string().trim().optional(),
  SUPABASE_SECRET_KEY: z.string().trim().optional(),
  SUPABASE_ANON_KEY: z.string().trim().optional(),
  SUPABASE_PUBLISHABLE_KEY: z.string().trim().optional(),
  INTAKE_COMPRESSION: oneOf(['none', 'gzip']).default('none'),
  INTAKE_METRICS_ADDRESS: listen('write it as host:port, or a port of 127.0.0.1').optional(),
  INTAKE_PORT: listen('write it as a port of 127.0.0.1, or host:port').default('8787'),
  PROJECTS_IMPORT_BEARER: z.string().default(''),
  INTAKE_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .refine(
      (list) =>
        list.every((origin) => URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin),
      'write each as https://host or https://host:port, as browsers do, with commas between',
    ),
  INTAKE_GATEWAY_URL: webAddress().optional(),
  INTAKE_TEMPORAL_UI: webAddress().optional(),
  ANOMALIES_ALERT_WEBHOOK: webAddress().optional(),
  ANOMALIES_ALERT_WINDOW_HOURS: integer(1, 24 * 14, 1),
  ANOMALIES_ALERT_MIN_COUNT: integer(1, 1_000_000_000, 1),
  ANOMALIES_ALERT_ALLOW_PRIVATE: oneOf(['true', 'false']).default('false'),
  INTAKE_NOTIFY_WEBHOOK: webAddress().optional(),
  INTAKE_NOTIFY_ALLOW_PRIVATE: oneOf(['true', 'false']).default('false'),
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress().optional(),
  OTEL_SERVICE_NAME: z.string().default('intake'),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});
