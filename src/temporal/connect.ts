/**
 * temporal/: What Intake asks of Temporal besides workflows: a connection, the end of a workflow, who polls.
 *
 * The client of Temporal, with traces where they are wanted.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Config, TemporalConfig } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { isLoopback } from '../settings/proxy.ts';
import { openTraces } from '../observability/traces.ts';
import { connectOptions } from './connectOptions.ts';
import { connectFault } from './fault.ts';
import { probeTemporal } from './probe.ts';

/** Nobody listens there: that is known at once. A server that listens and does not answer is busy, and is waited for. */
const CONNECT_MS = 5_000;
const BUSY_MS = 60_000;
const PROBE_AFTER_MS = 1_500;

export async function connectTemporal(config: Config): Promise<Client> {
  if (!config.temporal) throw new IntakeError('CONFIG_INVALID', 'TEMPORAL_ADDRESS is not set');
  const { temporal } = config;
  const options = await connectOptions(temporal);
  const connecting = Connection.connect({
    ...options,
    connectTimeout: (await listens(options.address)) ? BUSY_MS : CONNECT_MS,
    ...(isLoopback(options.address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
  });
  try {
    // What stands in the way for good is known long before the time of a busy server is over.
    const connection = await Promise.race([connecting, obstacle(temporal)]);
    return new Client({ connection, namespace: temporal.namespace, ...(await openTraces(config))?.client });
  } catch (cause) {
    connecting.then((late) => late.close()).catch(() => undefined);
    throw await connectFault(cause, temporal.address, () => probeTemporal(temporal));
  }
}

/** Rejects when a look at the address finds why it cannot work; else never ends. */
async function obstacle(temporal: TemporalConfig): Promise<never> {
  await sleep(PROBE_AFTER_MS, undefined, { ref: false });
  const found = await probeTemporal(temporal).catch(() => undefined);
  if (found && !found.retryable) throw found;
  return new Promise(() => undefined);
}

/** Whether somebody takes connections at an address. */
async function listens(address: string): Promise<boolean> {
  const { hostname: host, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port: Number(port) });
  try {
    return await Promise.race([once(socket, 'connect').then(() => true), sleep(CONNECT_MS, false, { ref: false })]);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
