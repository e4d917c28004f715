/** `intake schedule`: what happens by itself, on Temporal Schedules. */
import { asCalled } from '../asCalled.ts';
import { shellWord } from '../../values/text.ts';
import { Option, type Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { addCommand, type Call } from '../command.ts';
import { addSubcommands, type Subcommand } from '../subcommands.ts';
import {
  addOptions,
  definitionOf,
  refuseOthers,
  setOptions,
  timeOf,
  timesGiven,
  type ScheduleFlags,
} from '../requests/scheduleFlags.ts';
import { renderTable } from '../display/table.ts';
import { timesText, type Times } from '../../schedules/times.ts';
import type { ScheduleView } from '../../schedules/view.ts';

const NEXT = 5;

export function define(program: Command): void {
  const example = [
    'intake schedule add projects --tenant TELCO --from /srv/telco --timezone Australia/Adelaide',
    'intake schedule list',
    'intake schedule set projects-TELCO --at 18:00',
  ].join('\n');
  const which = ['[schedule]', 'its id, as the list has it'] as const;
  const note = new Option('--note <text>', 'why');
  const act = (summary: string, words: string, options: Option[] = []): Subcommand<ScheduleFlags> => ({
    summary,
    args: [which],
    options,
    example: `intake schedule ${words}`,
    body: scheduleCommand,
  });
  addSubcommands<ScheduleFlags>(addCommand(program, 'schedule', 'Manage schedules', example), {
    list: { summary: 'List schedules', example: 'intake schedule list', body: list, lists: true, isDefault: true },
    add: {
      summary: 'Make a schedule: of projects, retention, alerts or an import',
      args: [
        ['[what]', 'projects, retention, alerts or a kind of import'],
        ['[path]', 'of an import: its file or directory'],
      ],
      options: addOptions(),
      example: [
        'intake schedule add projects --tenant TELCO --from /srv/telco --timezone Australia/Adelaide',
        'intake schedule add retention',
        'intake schedule add alerts',
        'intake schedule add plaintiffs /srv/clients.csv --source-system crm --at 06:00 --timezone Europe/Berlin',
      ].join('\n'),
      body: (call) => add(call, call.args[1], call.args[2]),
    },
    show: act('Show a schedule, its next times and its runs', 'show projects-TELCO'),
    set: act('Change the times of a schedule', 'set projects-TELCO --at 18:00', setOptions()),
    pause: act('Pause a schedule', 'pause projects-TELCO --note "their export is broken"', [note]),
    resume: act('Resume a schedule', 'resume projects-TELCO', [note]),
    trigger: act('Run a schedule now', 'trigger projects-TELCO'),
    backfill: act(
      'Run a schedule for times that have passed',
      'backfill projects-TELCO --from 2026-11-01 --to 2026-11-03',
      [new Option('--from <time>', 'from this time'), new Option('--to <time>', 'up to this time')],
    ),
    remove: act('Remove a schedule', 'remove projects-TELCO'),
  });
}

async function scheduleCommand(call: Call<ScheduleFlags>): Promise<void> {
  const {
    args: [action = 'list', what],
    options,
    out,
  } = call;
  if (!what)
    throw new IntakeError('USAGE', 'Which schedule?', { remedy: 'Give its id; `intake schedule list` has them.' });
  if (action === 'show') return show(call, what);
  const change = await import('../../schedules/change.ts');
  const [from, to] = action === 'backfill' ? [timeOf(options.from, '--from'), timeOf(options.to, '--to')] : [];
  const { config, temporal } = await call.open();
  const client = await temporal();
  await change.requireOwn(client, what, config.taskQueue);
  let times: Times | undefined;
  switch (action) {
    case 'pause':
      await change.pauseSchedule(client, what, options.note || 'paused by intake schedule pause');
      break;
    case 'resume':
      await change.resumeSchedule(client, what, options.note || 'resumed by intake schedule resume');
      break;
    case 'trigger':
      await change.triggerSchedule(client, what);
      break;
    case 'remove':
      await change.removeSchedule(client, what);
      break;
    case 'backfill':
      await change.backfillSchedule(client, what, from!, to!);
      break;
    default:
      times = await set(call, what, timesGiven(options));
  }
  const DONE: Record<string, string> = {
    set: 'changed',
    pause: 'paused',
    resume: 'resumed',
    trigger: 'triggered',
    remove: 'removed',
    backfill: 'filled back',
  };
  if (action === 'remove' || action === 'trigger' || action === 'backfill') {
    out.document({ id: what, action });
    out.answer(`Schedule ${what} is ${DONE[action]}`);
    if (action !== 'remove') out.detail(`  See its runs: intake schedule show ${shellWord(what)}`);
    return;
  }
  const { describeChanged } = await import('../../schedules/view.ts');
  const view = await describeChanged(client, what, ({ paused, when }) =>
    action === 'set' ? !times || when === timesText(times) : paused === (action === 'pause'),
  );
  out.document(view);
  out.answer(`Schedule ${what} is ${DONE[action]}: ${view.when}${view.paused ? ', paused' : ''}`);
  if (!view.paused && view.next[0]) out.detail(`  Next: ${view.next[0].local}, ${view.next[0].at}`);
}

async function add(
  { options, out, open }: Call<ScheduleFlags>,
  what: string | undefined,
  path: string | undefined,
): Promise<void> {
  if (what !== undefined) refuseOthers(what, options);
  const session = await open({ creates: true });
  const asked = definitionOf(session.config, what, path, options);
  const client = await session.temporal();
  const [{ addSchedule }, { orderSchedule }, { describeChanged }, { placeOf }] = await Promise.all([
    import('../../schedules/change.ts'),
    import('../../schedules/order.ts'),
    import('../../schedules/view.ts'),
    import('../../database/identity.ts'),
  ]);
  const name = 'request' in asked.input ? asked.input.request.backend : undefined;
  const backend = await session.backend(name);
  const input = { ...asked.input, target: session.targetOf(name), ...(await placeOf(backend)) };
  const definition = { ...asked, input };
  await orderSchedule(backend, definition);
  await addSchedule(client, definition, options.replace);
  const view = await describeChanged(client, definition.id, ({ when }) => when === timesText(definition.times));
  out.document(view);
  out.answer(`Schedule ${view.id}: ${view.what}, ${view.when}`);
  if (view.next[0]) out.detail(`  Next: ${view.next[0].local}, ${view.next[0].at}`);
}

/** Of `--at` and `--timezone` one may stay as it is. */
async function set(
  { options, open }: Call<ScheduleFlags>,
  id: string,
  given: Times | undefined,
): Promise<Times | undefined> {
  const [{ setTimes, moveSchedule }, { describeSchedule }, { orderSchedule }, { placeOf }] = await Promise.all([
    import('../../schedules/change.ts'),
    import('../../schedules/view.ts'),
    import('../../schedules/order.ts'),
    import('../../database/identity.ts'),
  ]);
  const session = await open();
  const client = await session.temporal();
  if (options.here) {
    const backend = await session.backend();
    const place = { target: session.targetOf(), ...(await placeOf(backend)) };
    await moveSchedule(client, id, place, (definition) => orderSchedule(backend, definition));
    if (!given && options.at === undefined && options.timezone === undefined) return undefined;
  }
  const { when, time_zone, differs } = await describeSchedule(client, id, 0);
  if (!options.replace && differs.some((difference) => difference.startsWith('its times')))
    throw new IntakeError('USAGE', `Schedule ${id} has times that somebody gave it by hand`, {
      remedy: 'Look at them with `temporal schedule describe`; --replace puts these in their place.',
    });
  const at = options.at ?? /^daily at (\d\d:\d\d)/.exec(when)?.[1];
  if (!given && (at === undefined || options.timezone === undefined))
    throw new IntakeError('USAGE', 'Which times?', { remedy: 'Write --at 18:00, --timezone NAME or --every 1h.' });
  const times = given && 'everyMinutes' in given ? given : { at: at!, timeZone: options.timezone ?? time_zone };
  await setTimes(client, id, times);
  return times;
}

async function list({ out, open }: Call<ScheduleFlags>): Promise<void> {
  const [{ listSchedules }, { knownPlaceOf }] = await Promise.all([
    import('../../schedules/view.ts'),
    import('../../database/identity.ts'),
  ]);
  const session = await open();
  const views = await listSchedules(
    await session.temporal(),
    session.config.taskQueue,
    1,
    await knownPlaceOf(session.backend()),
  );
  out.document(views);
  if (views.length === 0) out.detail('No schedules yet: intake schedule add ... (see --help).');
  else
    for (const line of renderTable(views.map(rowOf), [
      'id',
      'when',
      'state',
      'next',
      'next_utc',
      'last',
      'last_run',
      'what',
    ]))
      out.answer(line);
}

const rowOf = ({ id, what, when, paused, broken, differs, next: [next], runs: [last] }: ScheduleView) => ({
  id,
  what,
  when,
  state: broken ? 'BROKEN' : `${paused ? 'paused' : 'active'}${differs.length > 0 ? ', differs' : ''}`,
  next: next?.local,
  next_utc: next?.at,
  last_run: last?.status,
  last: last?.started_at,
});

async function show({ out, open }: Call<ScheduleFlags>, id: string): Promise<void> {
  const [{ describeSchedule }, { knownPlaceOf }] = await Promise.all([
    import('../../schedules/view.ts'),
    import('../../database/identity.ts'),
  ]);
  const session = await open();
  const view = await describeSchedule(await session.temporal(), id, 10, await knownPlaceOf(session.backend()));
  out.document(view);
  out.answer(`${view.id}: ${view.what}`);
  out.answer(`  ${view.when}${view.paused ? `, paused${view.note ? `: ${view.note}` : ''}` : ''}`);
  out.detail(`  overlaps: ${view.overlap}; times missed by up to ${view.catchup_hours} h are made up for`);
  if (view.broken) out.answer(asCalled(`  BROKEN: ${view.broken}. ${view.mend}`));
  for (const difference of view.differs) out.answer(`  otherwise than Intake makes it: ${difference}`);
  out.detail(`  ${view.taken} runs; ${view.missed} missed, ${view.skipped} skipped for an overlap`);
  out.answer('Next:');
  for (const { at, local } of view.next.slice(0, NEXT)) out.answer(`  ${local}  ${at}`);
  if (view.runs.length === 0) return;
  out.answer('Runs:');
  for (const line of renderTable(
    view.runs.map((run) => ({ ...run })),
    ['scheduled_at', 'started_at', 'status', 'workflow_id', 'error'],
  ))
    out.answer(`  ${line}`);
  const [{ next_step: step }] = view.runs as [ScheduleView['runs'][0]];
  if (step) out.answer(asCalled(`Next step: ${step}`));
}
