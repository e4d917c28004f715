/** What the words after `intake schedule` ask for. */
import { Command, Option } from 'commander';
import { flagOf } from '../../messages/options.ts';
import type { Config } from '../../config.ts';
import { pushSettings } from '../../messages/push.ts';
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
import { importFlags, type ImportFlags } from './importFlags.ts';
import { importRequest } from './importRequest.ts';
import { gatewayAddress, parseBatchSize, parseDays, parseRunDays, tenantNamed } from './values.ts';

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
  readonly here?: boolean;
  readonly importsDays?: number;
  readonly anomaliesDays?: number;
  readonly runsDays?: RunDays;
}

/** Options of an import that make sense when nobody watches it. */
const OF_IMPORTS = new Set(
  (
    'source-system skip-jobs map encoding delimiter max-errors date-order backend header-row strict-headers null-words decode-html match ' +
    'on-conflict batch-name source-reference states-dir tag delta verify-writes images-dir'
  )
    .split(' ')
    .map((name) => `--${name}`),
);

const at = new Option('--at <time>', 'time of day, such as 17:00').argParser(parseTimeOfDay);
const every = new Option('--every <time>', 'instead of --at: 30m, 1h, 1d').argParser(parseInterval);
const zone = new Option('--timezone <name>', 'zone of --at, such as Australia/Adelaide').argParser(parseTimeZone);
const replace = new Option('--replace', 'instead of the one of that name');

/** Options of `schedule add`, by what is added. */
export function addOptions(): Option[] {
  const projects = [
    new Option('--from <source>', 'file, folder, URL or env:NAME'),
    new Option('--tenant <name>', 'whose they are'),
    new Option('--batch-size <n>', 'rows of a batch (5000); of search-results files (25)').argParser(parseBatchSize),
    new Option('--url <url>', 'the gateway (INTAKE_GATEWAY_URL)'),
  ];
  const retention = [
    new Option('--imports-days <n>', 'how long batches stay (60)').argParser(parseDays),
    new Option('--anomalies-days <n>', 'how long anomalies stay (90)').argParser(parseDays),
    new Option('--runs-days <[kind=]n>', 'how long runs keep their rows (for ever)').argParser(parseRunDays),
  ];
  const imports = [
    new Option('--id <id>', 'the name of the schedule'),
    new Option('--dry-run', 'only count'),
    ...importFlags(new Command()).options.filter(({ long }) => OF_IMPORTS.has(long ?? '')),
  ];
  return [
    ...[at, every, zone, replace, new Option('--host <name>', 'the host that holds the files (INTAKE_HOST)')].map(
      headed('When and where'),
    ),
    ...projects.map(headed('Of projects')),
    ...retention.map(headed('Of retention')),
    ...imports.map(headed('Of an import')),
  ];
}

export const setOptions = (): Option[] => [
  at,
  every,
  zone,
  replace,
  new Option('--here', 'for the database and the objects of this command'),
];

const headed =
  (heading: string) =>
  (option: Option): Option => {
    const copy = Object.assign(new Option(option.flags, option.description), option);
    return copy.helpGroup(`${heading}:`);
  };

const TIMES = ['at', 'every', 'timezone', 'replace'];
/** What each takes besides its times; an import what its kind takes. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  projects: ['from', 'tenant', 'batchSize', 'url', 'dateOrder', 'nullWords', 'decodeHtml', 'host'],
  retention: ['importsDays', 'anomaliesDays', 'runsDays'],
  alerts: [],
};
const COMMON = ['env', 'dir', 'json', 'pretty', 'quiet', 'color', 'debug'];

/** What would be ignored is refused, before anything is made. @throws IntakeError USAGE. */
export function refuseOthers(what: string, flags: ScheduleFlags): void {
  const taken = TAKES[what];
  const foreign = taken
    ? Object.keys(flags).filter((name) => ![...TIMES, ...COMMON, ...taken].includes(name))
    : ['from', 'url', ...TAKES['retention']!].filter((name) => flags[name as keyof ScheduleFlags] !== undefined);
  if (foreign.length === 0) return;
  throw new IntakeError(
    'USAGE',
    `A schedule of ${what} does not take ${foreign.map((name) => `--${flagOf(name)}`).join(', ')}`,
    {
      remedy: 'Leave it away; intake schedule add --help says what each option is for.',
    },
  );
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
    return pushSchedule(config, {
      tenantId,
      from: withoutSecrets(from),
      times: timesOf(flags, '17:00'),
      timeZone: flags.timezone,
      ...(host ? { host } : {}),
      ...pushSettings({ ...flags, gatewayUrl: gatewayAddress(url), batchRows: batchSize }),
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

/** A date is its beginning in UTC. */
export function timeOf(text: string | undefined, option: string): Date {
  const time = new Date(text ?? '');
  if (Number.isNaN(time.getTime()))
    throw new IntakeError('USAGE', `${option} is a time`, {
      remedy: `Write ${option} 2026-11-01 or ${option} 2026-11-01T17:00:00+10:30.`,
    });
  return time;
}
