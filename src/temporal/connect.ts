/**
 * temporal/: What Intake asks of Temporal besides workflows: a connection, the end of a workflow, who polls.
 *
 * The client of Temporal, with traces where they are wanted.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Config } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { isLoopback } from '../proxy.ts';
import { openTraces } from '../observability/traces.ts';
import { connectOptions } from './connectOptions.ts';

/** Nobody listens there: that is known at once. A server that listens and does not answer is busy, and is waited for. */
const CONNECT_MS = 5_000;
const BUSY_MS = 60_000;

export async function connectTemporal(config: Config): Promise<Client> {
  if (!config.temporal) throw new IntakeError('CONFIG_INVALID', 'TEMPORAL_ADDRESS is not set');
  try {
    const options = await connectOptions(config.temporal);
    const connection = await Connection.connect({
      ...options,
      connectTimeout: (await listens(options.address)) ? BUSY_MS : CONNECT_MS,
      ...(isLoopback(options.address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
    });
    return new Client({ connection, namespace: config.temporal.namespace, ...(await openTraces(config))?.client });
  } catch (cause) {
    if (cause instanceof IntakeError) throw cause;
    throw new IntakeError('TEMPORAL_UNAVAILABLE', `Temporal does not answer at ${config.temporal.address}`, { cause });
  }
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
