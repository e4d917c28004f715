/** Composition root of a worker: one on the queue of all, one on the queue of this host's files. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Deps } from './activities/deps.ts';
import { openActivities } from './activities/open.ts';
import { loadConfig, type Config } from './config.ts';
import { IntakeError } from './errors.ts';
import { freePort } from './observability/freePort.ts';
import { createLogger } from './observability/log.ts';
import { createMetrics, noMetrics } from './observability/metrics.ts';
import { serveMetrics } from './observability/metricsServer.ts';
import { COMMAND_IDENTITY, workerIdentity } from './temporal/pollers.ts';
import { grpcProxy, useProxies } from './settings/proxy.ts';
import { connectFault, endWith, temporalFault } from './temporal/fault.ts';
import { attributeRemedy, hasAttributes } from './temporal/searchAttributes.ts';
import { probeTemporal } from './temporal/probe.ts';
import { runningImports } from './temporal/runningImports.ts';
import { connectOptions } from './temporal/connectOptions.ts';
import { hostQueue } from './temporal/queues.ts';
import { flushTraces, openTraces } from './observability/traces.ts';
import { watchSchedules } from './schedules/watch.ts';
import { workflowBundle } from './workflows/bundle.ts';
import type { Logger } from 'pino';

/** Activities at a time and process: each holds a chunk in memory, and two cores are busy with fewer. */
const ACTIVITIES = 4;
/** How long the start waits for the database to say which it is. */
const PLACE_MS = 2_000;

export interface RunningWorker {
  /** Lets running activities end, then stops. */
  shutdown(): Promise<void>;
  /** Ends when the worker does. */
  readonly done: Promise<void>;
}

export interface WorkerOptions {
  /** Serves just the files of this host: what a client without a worker beside it needs. */
  readonly only?: 'files';
  /** What another composition root puts around activities. */
  readonly activityInterceptors?: ActivityInterceptorsFactory[];
  /** The same around what activities need. */
  readonly adapt?: (deps: Deps) => Deps;
  /** Path of a bundle of the workflows, when not the own one. */
  readonly workflowBundle?: string;
}

/** Starts a worker. */
export async function startWorker(config: Config, log: Logger, options: WorkerOptions = {}): Promise<RunningWorker> {
  const { temporal } = config;
  const { only, activityInterceptors, adapt } = options;
  if (!temporal) throw new IntakeError('CONFIG_INVALID', 'TEMPORAL_ADDRESS is not set');
  // A worker inside a command ends with it: nobody scrapes that.
  const watched = only === 'files' ? undefined : config.metrics;
  const corePort = watched && (await freePort(0));
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { error, ...rest } = meta ?? {};
      log[level === 'ERROR' ? 'error' : 'warn']({ sdk: rest, ...(error ? { err: error } : {}) }, message);
    }),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: 'WARN' },
      ...(corePort
        ? {
            metrics: {
              prometheus: {
                bindAddress: `127.0.0.1:${corePort}`,
                countersTotalSuffix: true,
                unitSuffix: true,
                useSecondsForDurations: true,
              },
            },
          }
        : {}),
    },
  });
  const proxy = grpcProxy(temporal.address);
  const server = { ...(await connectOptions(temporal)), ...(proxy ? { proxy } : {}) };
  const connection = await NativeConnection.connect(server).catch(async (cause) => {
    throw await connectFault(cause, temporal.address, () => probeTemporal(temporal));
  });
  const metrics =
    watched &&
    (await createMetrics((state) =>
      runningImports({ connection, namespace: temporal.namespace, taskQueue: config.taskQueue }, state),
    ));
  const traces = await openTraces(config);
  const { activities, place, close } = await openActivities(config, log, {
    ...(metrics ? { metrics } : {}),
    ...(adapt ? { adapt } : {}),
    hasAttributes: () => hasAttributes(connection, temporal.namespace),
  });
  // A database that does not answer holds nothing up: an import waits for it, this name does not.
  const own = await Promise.race([place(), sleep(PLACE_MS, {}, { ref: false })]);
  const common = {
    connection,
    namespace: temporal.namespace,
    activities,
    identity: only === 'files' ? COMMAND_IDENTITY : workerIdentity(own),
    ...traces?.worker,
    ...(activityInterceptors ? { interceptors: { activity: activityInterceptors } } : {}),
    shutdownGraceTime: '20 s',
    shutdownForceTime: '60 s',
    maxHeartbeatThrottleInterval: '1 s', // the live display shows what they say
  } as const;
  const create = async (): Promise<Worker[]> => {
    const files = await Worker.create({
      ...common,
      taskQueue: hostQueue(config.taskQueue, config.host),
      maxConcurrentActivityTaskExecutions: ACTIVITIES,
    });
    if (only === 'files') return [files];
    const all = await Worker.create({
      ...common,
      taskQueue: config.taskQueue,
      workflowBundle: {
        codePath: options.workflowBundle ?? workflowBundle(join(config.dir, 'cache'), traces !== undefined),
      },
      maxConcurrentActivityTaskExecutions: ACTIVITIES,
      maxCachedWorkflows: 50,
      stickyQueueScheduleToStartTimeout: '2 s', // how long a dead worker's cache is waited for
      maxConcurrentWorkflowTaskExecutions: 10,
      workflowThreadPoolSize: 1,
      reuseV8Context: true,
    });
    return [files, all];
  };
  // It asks for the namespace: what Temporal refuses, it refuses here.
  const workers = await create().catch(async (cause: unknown) => {
    await connection.close().catch(() => undefined);
    await close();
    throw temporalFault(cause) ?? cause;
  });
  const healthy = () => workers.every((worker) => worker.getState() === 'RUNNING');
  const metricsServer =
    metrics && corePort
      ? serveMetrics({ address: watched, registry: metrics.registry, corePort, healthy, log })
      : undefined;
  if (!(await hasAttributes(connection, temporal.namespace)))
    log.warn({ remedy: attributeRemedy(temporal) }, 'search attributes of Intake are missing or of another type');
  log.info({ taskQueue: config.taskQueue, host: config.host }, 'worker started');
  const notify = only !== 'files' && config.notices.webhook !== undefined;
  const endWatch =
    metrics || notify
      ? watchSchedules({
          client: new Client({ connection, namespace: temporal.namespace }),
          taskQueue: config.taskQueue,
          notify,
          metrics: metrics ?? noMetrics,
          log,
        })
      : undefined;
  const done = Promise.all(workers.map((worker) => worker.run())).then(async () => {
    await endWatch?.();
    await close();
    await connection.close();
    await metricsServer?.close();
    await flushTraces();
  });
  return {
    done,
    async shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await done;
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  // A heap may grow to a multiple of what is alive in it before V8 looks for garbage: with the threads' heaps that is half of a worker.
  setFlagsFromString('--heap-growing-percent=50');
  const log = createLogger('info');
  try {
    const config = loadConfig();
    useProxies();
    log.level = config.logLevel;
    const worker = await startWorker(config, log);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        log.info('worker stops');
        void worker.shutdown();
      });
    }
    await worker.done;
  } catch (error) {
    endWith(error, log);
  }
}
