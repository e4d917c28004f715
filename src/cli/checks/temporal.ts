/** What `intake doctor` asks of Temporal and its workers. */
import type { Client } from '@temporalio/client';
import { hostQueue } from '../../temporal/queues.ts';
import { SEARCH_ATTRIBUTES } from '../../messages/attributes.ts';
import { check, failed, type Check } from './check.ts';
import { attributeRemedy, attributeState } from '../../temporal/searchAttributes.ts';
import { listSchedules } from '../../schedules/view.ts';
import { placeOfWorker, workersOf } from '../../temporal/pollers.ts';
import { knownPlaceOf, otherStore } from '../../database/identity.ts';
import { IntakeError } from '../../errors.ts';
import { differenceOf, type Place } from '../../messages/place.ts';
import type { Session } from '../session.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { grpcProxy } from '../../settings/proxy.ts';

const STARTING_MS = 20_000;

export async function checkTemporal(session: Session): Promise<Check[]> {
  const { config } = session;
  const namespace = config.temporal?.namespace ?? 'default';
  const checks = [
    await check('temporal', async () => {
      const { workflowService } = (await session.temporal()).connection;
      await workflowService.describeNamespace({ namespace });
      const { serverVersion } = await workflowService.getSystemInfo({});
      const { address = '' } = config.temporal ?? {};
      const proxy = grpcProxy(address)?.targetHost;
      return `Temporal ${serverVersion} at ${address}, namespace ${namespace}${proxy ? `, through the proxy ${proxy}` : ''}`;
    }),
  ];
  if (!checks[0]?.ok) return checks;
  const client = await session.temporal();
  checks.push(
    await check('search_attributes', async () => {
      const { missing, mistyped } = await attributeState(client);
      if (missing.length + mistyped.length > 0) {
        const wrong = mistyped.map(({ name, type }) => `${name} is of type ${type}, and must be Keyword`);
        const removal = mistyped.map(({ name }) => `--name ${name}`).join(' ');
        throw failed(
          [...(missing.length > 0 ? [`Missing: ${missing.join(', ')}`] : []), ...wrong].join('; '),
          (removal
            ? `First remove: temporal operator search-attribute remove --address ${config.temporal?.address} --namespace ${namespace} ${removal}. Then: `
            : '') +
            attributeRemedy({ ...config.temporal, namespace }, [...missing, ...mistyped.map(({ name }) => name)]),
        );
      }
      return Object.values(SEARCH_ATTRIBUTES).join(', ');
    }),
  );
  const { taskQueue, host } = config;
  // Where it does not answer, its own check says so.
  const own = await knownPlaceOf(session.backend());
  checks.push(await checkQueue('worker', taskQueue, 'workflow'));
  checks.push(await checkQueue('worker_files', hostQueue(taskQueue, host), 'activity'));
  checks.push(await check('schedules', () => schedulesOf(client, taskQueue, own)));
  return checks;

  /** What they were asked to do here they would refuse. */
  function requireOwnPlace(workers: readonly string[]): void {
    for (const { name, ...ids } of workers.map(placeOfWorker)) {
      const difference = differenceOf(ids, own);
      if (difference === 'database')
        throw new IntakeError('DATABASE_MISMATCH', `Worker ${name} has another database than ${session.targetOf()}`);
      if (difference)
        throw otherStore(
          `Worker ${name} keeps objects elsewhere than in ${own.objects?.name}, or began before that was emptied (then restart it)`,
        );
    }
  }

  function checkQueue(name: string, queue: string, type: 'workflow' | 'activity'): Promise<Check> {
    return check(name, async () => {
      // The worker of an embedded stack that has just come up is starting.
      const deadline = Date.now() + (session.stack?.gateway ? STARTING_MS : 0);
      let workers = await workersOf(client, queue, type);
      for (; workers.length === 0 && Date.now() < deadline; workers = await workersOf(client, queue, type))
        await sleep(250);
      if (workers.length === 0) throw failed(`No worker polls task queue '${queue}'`, 'Start one: intake worker.');
      requireOwnPlace(workers);
      return `polls task queue '${queue}'`;
    });
  }
}

/** Names of this deployment's schedules, which are paused, and which are otherwise than Intake makes them; there need not be any. */
async function schedulesOf(client: Client, taskQueue: string, own: Place): Promise<string> {
  const views = await listSchedules(client, taskQueue, 0, own);
  const broken = views.filter((view) => view.broken);
  if (broken.length > 0)
    throw failed(
      broken.map(({ id, broken: fault }) => `Schedule ${id} is broken: ${fault}`).join('; '),
      broken.map(({ mend }) => mend).join(' '),
    );
  const names = views.map(({ id, paused, differs }) => {
    const notes = [...(paused ? ['paused'] : []), ...differs];
    return `${id}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
  });
  return names.length > 0 ? names.join(', ') : 'none';
}
