/**
 * The one table of error codes: what each means for a retry, for the exit code and for the operator.
 *
 * A code is what histories, `error_details` and metrics carry; messages name places (file, line, column), never values.
 */

export interface ErrorRule {
  /** `retry`: transient, tried again with backoff; `fatal`: an operator has to mend something first. */
  readonly kind: 'retry' | 'fatal';
  /** Process exit code of a command that ends with this error: 1 the run failed, 2 wrong use or unusable input. */
  readonly exit: 1 | 2;
  /** What the operator does. */
  readonly remedy: string;
}

const fatal = (exit: 1 | 2, remedy: string): ErrorRule => ({ kind: 'fatal', exit, remedy });
const retry = (remedy: string): ErrorRule => ({ kind: 'retry', exit: 1, remedy });

export const ERRORS = {
  // The file.
  FILE_NOT_FOUND: fatal(2, 'Check the path; relative paths start at the current directory.'),
  FILE_UNREADABLE: fatal(2, 'Give the user that runs the worker permission to read the file.'),
  NOT_A_FILE: fatal(2, 'Give a regular file; save the output of a pipe to a file first.'),
  EMPTY_DIRECTORY: fatal(2, 'Check --states-dir, its permissions, and that the names end in _parse.json.'),
  EMPTY_FILE: fatal(2, 'Export the file again; it needs a header and at least one row.'),
  MISSING_COLUMNS: fatal(2, 'Rename the header or map it: --map "Their Header=our_column".'),
  DUPLICATE_HEADER: fatal(2, 'Rename one of the columns, or map the one that counts: --map "Their Header=our_column".'),
  UNKNOWN_COLUMN: fatal(2, 'Use a column of the kind on the right of --map; `intake schema <kind>` lists them.'),
  UNKNOWN_HEADERS: fatal(2, 'Map them (--map "Their Header=our_column"), or leave --strict-headers away.'),
  DATE_ORDER_UNCLEAR: fatal(2, 'Say how numeric dates of this file are written: --date-order mdy or --date-order dmy.'),
  UNKNOWN_ENCODING: fatal(
    2,
    'Save the file as UTF-8, or use --encoding utf-8, windows-1252, shift_jis, windows-1251, ...',
  ),
  ENCODING_UNCLEAR: fatal(
    2,
    'Save the file as UTF-8, or say its encoding: --encoding windows-1251, shift_jis, gb18030, ...',
  ),
  HEADER_UNREADABLE: fatal(2, 'Mend the first line of the file: balanced quotes, one encoding, under 1 MB.'),
  CHANGED_FILE: fatal(2, 'Wait until the file is completely written, then import it again.'),
  TOO_MANY_ERRORS: fatal(
    1,
    'Nothing reached a production table. The same command with a higher --max-errors imports the good rows; `intake rejects ID` has the others, to mend.',
  ),
  ROWS_LEFT_OUT: fatal(1, 'Mend the listed rows at their source; the others are posted.'),
  INVALID_ROW: fatal(2, 'Mend that row and push the file again; nothing of it was posted.'),
  DOWNLOAD_FAILED: retry('Check that --from answers; it is tried again.'),
  DOWNLOAD_REFUSED: fatal(1, 'Check the address and the access behind --from.'),
  INPUT_REFUSED: fatal(
    1,
    'Give it by a command of Intake, which orders it in the database; files of one folder are allowed for good by INTAKE_FILES of the worker.',
  ),
  // The run.
  RUN_NOT_FOUND: fatal(2, 'List the runs with `intake runs`.'),
  SCHEDULE_NOT_FOUND: fatal(2, 'List the schedules with `intake schedule list`.'),
  IN_PROGRESS: fatal(1, 'Wait for the other import, or cancel it; a silent one is taken over after 30 minutes.'),
  OPTIONS_DIFFER: fatal(2, 'Give the options that the batch began with, or name another batch: --batch-id NAME.'),
  ORPHANED: fatal(1, '`intake resume ID` goes on with it where it stopped; nothing is doubled.'),
  LEASE_LOST: fatal(1, 'Another worker or an operator took the run; `intake resume ID` goes on with it.'),
  CANCELLED: fatal(1, '`intake resume ID` goes on where it stopped.'),
  RUN_CONFLICT: fatal(1, 'Look at the run: `intake runs show ID`; wait for its end, resume it or roll it back.'),
  RECONCILIATION_FAILED: fatal(
    1,
    'Compare with `intake reconcile ID` and `intake verify ID`, then `intake resume ID`.',
  ),
  ROLLBACK_REFUSED: fatal(1, 'Cancel the import first, then roll it back.'),
  VERIFY_FAILED: fatal(1, 'Look at the listed rows; `intake reconcile ID` shows the counts.'),
  STAGE_LOST: retry('Nothing to do: the database lost its unlogged stage in a crash and the rows are parsed again.'),
  OBJECT_MISSING: fatal(
    1,
    '`intake resume ID` on the host that holds the file uploads it again while the run has not completed; then only a copy of the storage has it.',
  ),
  OBJECT_CORRUPT: fatal(1, '`intake resume ID` on the host that holds the file uploads it again.'),
  OBJECT_REFUSED: fatal(
    1,
    'Let the bucket `imports` take objects of any type and of this size (Storage settings), then run `intake resume ID`.',
  ),
  WORKER_LOST: fatal(
    1,
    'Look at the log and the memory of the worker; `intake resume ID` tries again when it is mended.',
  ),
  // The surroundings.
  DATABASE_UNAVAILABLE: retry('Nothing to do: imports go on by themselves when the database answers.'),
  DATABASE_BUSY: retry('Nothing to do: the transaction is tried again.'),
  DATABASE_TIME_LIMIT: fatal(
    1,
    "Let statements run longer (alter role service_role set statement_timeout = '10min', or that of DATABASE_URL's user), then `intake resume ID`.",
  ),
  STORAGE_UNAVAILABLE: retry('Nothing to do: imports go on by themselves when Storage answers.'),
  STORAGE_DENIED: fatal(
    1,
    'Check SUPABASE_SERVICE_ROLE_KEY: the secret key of this project, not expired; policies on storage.objects must let it in.',
  ),
  BUCKET_MISSING: fatal(1, 'Run `intake migrate`, or create the private bucket `imports` in Storage.'),
  REQUEST_TOO_LARGE: fatal(
    1,
    'Make requests smaller (INTAKE_CHUNK_BYTES; of a directory --batch-size), or let the gateway take more.',
  ),
  DATABASE_MISMATCH: fatal(
    1,
    'Give the command and the workers one database; several share a Temporal by namespaces (TEMPORAL_NAMESPACE) or task queues (INTAKE_TASK_QUEUE).',
  ),
  DATABASE_TLS: fatal(1, 'Give sslmode and sslrootcert in DATABASE_URL as the server needs them.'),
  DISK_UNAVAILABLE: retry(
    'Free disk space on the host of the worker, or let its user write to INTAKE_DIR/work; the import goes on by itself.',
  ),
  DATABASE_SCHEMA: fatal(1, 'Run `intake migrate`; the database misses a table or function.'),
  DATABASE_DENIED: fatal(1, 'Check the password or the key, and what its role may do.'),
  DATABASE_FULL: retry('Free disk space on the database server; an import that runs goes on by itself.'),
  DATABASE_REFUSED: fatal(
    1,
    'Look up the code in the message; the log of the database has the statement. Mend that, then `intake resume ID`.',
  ),
  HOST_UNAVAILABLE: fatal(
    1,
    'Start a worker on the host that holds the file (INTAKE_HOST is its name in the queue), then `intake resume ID`.',
  ),
  TEMPORAL_UNAVAILABLE: retry(
    'Start Temporal, or check TEMPORAL_ADDRESS; imports go on by themselves when it answers.',
  ),
  TEMPORAL_DENIED: fatal(
    2,
    'Check TEMPORAL_API_KEY (or TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY), its end and its rights in TEMPORAL_NAMESPACE; an import that runs goes on.',
  ),
  TEMPORAL_BUSY: retry('Try again in a moment, or raise the rate limit of the namespace; imports go on by themselves.'),
  GATEWAY_UNAVAILABLE: retry(
    'Start the gateway or check INTAKE_GATEWAY_URL, then push the file again: what is posted already is not merged twice.',
  ),
  GATEWAY_BUSY: retry('Push the file again later: what is posted already is not merged twice.'),
  GATEWAY_REFUSED: fatal(
    2,
    'Mend what it names, then push the file again: what is posted already is not merged twice.',
  ),
  WEBHOOK_FAILED: retry('Check the address of the webhook, and that its receiver works.'),
  WEBHOOK_REFUSED: fatal(
    2,
    'Use a public address for the webhook, or allow private ones with its setting that ends in _ALLOW_PRIVATE.',
  ),
  STACK_FAILED: fatal(1, 'Look at the log it names; `intake down` and `intake up` start the stack anew.'),
  // The call.
  TENANT_UNKNOWN: fatal(2, 'List the tenants: `intake tenants list`; add a new one: `intake tenants add TENANT`.'),
  USAGE: fatal(2, 'See --help.'),
  CONFIG_INVALID: fatal(2, 'Mend the listed settings in the environment or in .env.'),
  INTERNAL: retry('Run again with --debug and report what it prints.'),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;

export interface IntakeErrorOptions {
  readonly cause?: unknown;
  /** Physical line of the file, 1-based. */
  readonly line?: number;
  /** Overrides the table's remedy where the place knows better. */
  readonly remedy?: string;
  /** When it is worth trying again, where the place knows better than the usual backoff. */
  readonly retryAfterMs?: number;
  /** Of a code that is tried again: not this time, the place knows that it would end the same. */
  readonly final?: boolean;
}

/** An error with a code of the table; its message never carries a cell's value. */
export class IntakeError extends Error {
  override readonly name = 'IntakeError';
  readonly code: ErrorCode;
  readonly line: number | undefined;
  readonly remedy: string;
  readonly retryAfterMs: number | undefined;
  readonly final: boolean;

  constructor(code: ErrorCode, message: string, options: IntakeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.line = options.line;
    this.remedy = options.remedy ?? ERRORS[code].remedy;
    this.retryAfterMs = options.retryAfterMs;
    this.final = options.final ?? false;
  }

  get retryable(): boolean {
    return !this.final && ERRORS[this.code].kind === 'retry';
  }

  get exitCode(): 1 | 2 {
    return ERRORS[this.code].exit;
  }
}

/**
 * Codes of rejected rows that readers of records, cells, files and images give; a kind adds its own (`rowErrors`). Each sentence says
 * what is wrong with the row and how to fix it, without its values.
 */
export const ROW_ERRORS = {
  UNBALANCED_QUOTE: 'A quote is opened and never closed properly; close it, or double it inside a quoted cell.',
  HEADER_AGAIN: 'The row is the header once more, as in files that were joined; delete it.',
  FOOTER_ROW: 'The row is the total, the page or the end of a report, not a record; delete it.',
  SPREADSHEET_VALUE:
    'A spreadsheet has turned this identifier into a date or cut it to a power of ten; format the column as text and export the file anew.',
  MIXED_LINE_ENDS:
    'A line end of another kind than the rest of the file has stands inside the row; save the file anew.',
  RAGGED_ROW: 'The row has more or fewer cells than the header.',
  INVALID_ENCODING: "The row is not valid in the file's encoding; save the file as UTF-8 or give its --encoding.",
  NUL_BYTE: 'The row holds a NUL character, which PostgreSQL cannot store; remove it.',
  FIELD_TOO_LARGE: 'A cell is larger than 1 MB.',
  RECORD_TOO_LARGE:
    'The record is larger than 8 MB or has more than 16,384 cells; look for a line end that is missing.',
  MISSING_VALUE: 'A required cell is empty.',
  BAD_AMOUNT: 'The amount is not a decimal number; write it like 1234.50.',
  BAD_DATE:
    'The date does not exist in the order of the file; write it as YYYY-MM-DD or, of a CSV file, give --date-order.',
  BAD_EMAIL: 'The e-mail address is not valid.',
  BAD_PHONE: 'The phone number must have 7 to 15 digits.',
  BAD_STATE: 'The state is not a two-letter code.',
  INVALID_JSON: 'The file is not valid JSON in UTF-8; write it anew.',
  SCHEMA_MISMATCH: 'A field is missing or of another type than `intake schema search-results` says.',
  JSON_TOO_LARGE: 'The JSON file is larger than 16 MB; split its licences into several files.',
  IMAGE_MISSING: 'The directory has no image of that name; add it, or correct source_image_file.',
  IMAGE_AMBIGUOUS: 'Several images may be meant; write source_image_file with the folders that tell them apart.',
  IMAGE_OUTSIDE: 'The image lies outside the directory, behind a link; copy it into the directory.',
  IMAGE_CORRUPT: 'The image is cut off, damaged, or neither PNG, JPEG, GIF nor WebP; take it again.',
  IMAGE_UNSUPPORTED: 'The image is neither PNG, JPEG, GIF nor WebP; save it as PNG.',
  IMAGE_TOO_LARGE: 'The image is larger than 50 MB; reduce it.',
  IMAGE_REFUSED:
    'Storage, or a gateway in front of it, refuses the image for its size or type; let the bucket `imports` and the gateway take it, or reduce the image.',
  FILE_UNREADABLE: 'The file cannot be read; check its permissions and that it is a file of the directory.',
  CHANGED_FILE: 'The file changed while it was imported; import again when it is written to its end.',
  REFUSED_ROW: 'The database refused this record alone, by a constraint or a trigger of yours.',
} as const satisfies Record<string, string>;

export type RowErrorCode = keyof typeof ROW_ERRORS;

/** Nobody's projects are written under a name that was mistyped. */
export const unknownTenant = (tenantId: string): IntakeError =>
  new IntakeError('TENANT_UNKNOWN', `There is no tenant ${tenantId}`);
