/** What the words after `intake schedule` ask for. */
import { Argument, Command, Option } from 'commander';
import type { Config } from '../../config.ts';
import type { RunDays } from '../../messages/schedules.ts';
import { projects } from '../../kinds/projects.ts';
import { IntakeError } from '../../errors.ts';
import {
  alertsSchedule,
  importSchedule,
  pushSchedule,
  retentionSchedule,
  type Definition,
} from '../../schedules/definitions.ts';
import { parseInterval, parseTimeOfDay, parseTimeZone, type Times } from '../../schedules/times.ts';
import { importFlags, importRequest, type ImportFlags } from './importRequest.ts';

export interface ScheduleFlags extends ImportFlags {
  readonly from?: string;
  readonly to?: string;
  readonly at?: string;
  readonly every?: number;
  readonly timezone?: string;
  readonly url?: string;
  readonly host?: string;
  readonly id?: string;
  readonly note?: string;
  readonly replace?: boolean;
  readonly importsDays?: number;
  readonly anomaliesDays?: number;
  readonly runsDays?: RunDays;
}

const ACTIONS = ['add', 'set', 'list', 'show', 'pause', 'resume', 'trigger', 'backfill', 'remove'] as const;
/** Options of an import that make sense when nobody watches it. */
const OF_IMPORTS = new Set([
  ...[
    '--source-system',
    '--skip-jobs',
    '--map',
    '--encoding',
    '--delimiter',
    '--max-errors',
    '--date-order',
    '--backend',
  ],
  ...['--states-dir', '--tag', '--delta', '--verify-writes'],
]);
import { gatewayAddress, parseBatchSize, parseDays, parseRunDays, tenantNamed } from './values.ts';

export function scheduleFlags(command: Command): Command {
  command
    .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
    .argument('[what]', 'add: projects, retention, alerts or a kind of import; else the schedule')
    .argument('[path]', 'add of an import: its file or directory')
    .option('--from <source>', 'projects: file, folder, URL or env:NAME; backfill: from this time')
    .option('--to <time>', 'backfill: up to this time')
    .addOption(new Option('--at <time>', 'time of day, such as 17:00').argParser(parseTimeOfDay))
    .addOption(new Option('--every <time>', 'instead of --at: 30m, 1h, 1d').argParser(parseInterval))
    .addOption(new Option('--timezone <name>', 'zone of --at, such as Australia/Adelaide').argParser(parseTimeZone))
    .option('--tenant <name>', 'projects: whose they are')
    .addOption(
      new Option('--batch-size <n>', 'projects: rows of a batch (5000); search-results: files of one (25)').argParser(
        parseBatchSize,
      ),
    )
    .option('--url <url>', 'projects: the gateway (INTAKE_GATEWAY_URL)')
    .option('--host <name>', 'the host that holds the files (INTAKE_HOST)')
    .option('--dry-run', 'of an import: only count')
    .option('--id <id>', 'of an import: the name of the schedule')
    .option('--replace', 'add: instead of the one of that name')
    .option('--note <text>', 'pause, resume: why')
    .addOption(new Option('--imports-days <n>', 'retention: how long batches stay (60)').argParser(parseDays))
    .addOption(new Option('--anomalies-days <n>', 'retention: how long anomalies stay (90)').argParser(parseDays))
    .addOption(
      new Option('--runs-days <[kind=]n>', 'retention: how long runs keep their rows (for ever)').argParser(
        parseRunDays,
      ),
    );
  for (const option of importFlags(new Command()).options)
    if (OF_IMPORTS.has(option.long ?? '')) command.addOption(option);
  return command;
}

/** What `add` makes. @throws IntakeError USAGE. */
export function definitionOf(
  config: Config,
  what: string | undefined,
  path: string | undefined,
  flags: ScheduleFlags,
): Definition {
  const { from, url, batchSize, host, id, importsDays = 60, anomaliesDays = 90, runsDays } = flags;
  if (what === undefined)
    throw new IntakeError('USAGE', 'Add what?', { remedy: 'Write projects, retention, alerts or a kind of import.' });
  if (what === projects.name) {
    const tenantId = tenantNamed(flags.tenant, 'Give it: --tenant TENANT.');
    if (!from)
      throw new IntakeError('USAGE', 'Push what?', { remedy: 'Give a file, a folder or an address: --from SOURCE.' });
    if (flags.timezone === undefined)
      throw new IntakeError('USAGE', "Which is the tenant's time zone?", {
        remedy: 'Write --timezone Australia/Adelaide.',
      });
    const gatewayUrl = gatewayAddress(url);
    return pushSchedule(config, {
      tenantId,
      from: withoutSecrets(from),
      times: timesOf(flags, '17:00'),
      timeZone: flags.timezone,
      ...(host ? { host } : {}),
      ...(gatewayUrl ? { gatewayUrl } : {}),
      ...(batchSize ? { batchRows: batchSize } : {}),
      ...(flags.dateOrder ? { dateOrder: flags.dateOrder } : {}),
    });
  }
  if (what === 'retention') {
    const days = { importsDays, anomaliesDays, ...(runsDays ? { runDays: runsDays } : {}) };
    return retentionSchedule(config, timesOf(flags, '03:10'), days);
  }
  if (what === 'alerts') {
    if (flags.at) throw new IntakeError('USAGE', 'Alerts come at intervals', { remedy: 'Write --every 1h.' });
    return alertsSchedule(config, flags.every ?? 60);
  }
  const times = timesGiven(flags);
  if (!times)
    throw new IntakeError('USAGE', 'When?', { remedy: 'Write --at 06:00 --timezone Europe/Berlin, or --every 1h.' });
  const request = importRequest([what, path], { ...flags, commit: !flags.dryRun });
  return importSchedule(config, { request, times, ...(id ? { id } : {}), ...(host ? { host } : {}) });
}

/** The times that options name; undefined when they name none. @throws IntakeError USAGE. */
export function timesGiven({ at, every, timezone }: ScheduleFlags): Times | undefined {
  if (at !== undefined && every !== undefined) throw new IntakeError('USAGE', '--at and --every exclude each other');
  if (every !== undefined) return { everyMinutes: every };
  return at === undefined ? undefined : { at, timeZone: timezone ?? 'UTC' };
}

const timesOf = (flags: ScheduleFlags, usual: string): Times =>
  timesGiven(flags) ?? { at: usual, timeZone: flags.timezone ?? 'UTC' };

/** What a schedule is given stands in Temporal. */
function withoutSecrets(from: string): string {
  if (from.startsWith('env:') && !/^env:\w+$/.test(from))
    throw new IntakeError('USAGE', '--from env:NAME names a variable');
  if (!/^https?:/.test(from)) return from;
  const url = URL.parse(from);
  if (!url) throw new IntakeError('USAGE', '--from is no address');
  if (!url.username && !url.password && !url.search) return from;
  throw new IntakeError('USAGE', '--from has a user or a query, which may be secrets', {
    remedy:
      "Put the address into the environment of that host's worker, say PROJECTS_FROM, and write --from env:PROJECTS_FROM.",
  });
}
