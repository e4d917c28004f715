/** The client of Temporal, with traces where they are wanted. */
import { Client, Connection } from '@temporalio/client';
import type { Config } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { isLoopback } from '../proxy.ts';
import { openTraces } from '../observability/traces.ts';
import { connectOptions } from './connectOptions.ts';

export async function connectTemporal(config: Config): Promise<Client> {
  if (!config.temporal) throw new IntakeError('CONFIG_INVALID', 'TEMPORAL_ADDRESS is not set');
  try {
    const connection = await Connection.connect({
      ...(await connectOptions(config.temporal)),
      connectTimeout: '5 s',
      ...(isLoopback(config.temporal.address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
    });
    return new Client({ connection, namespace: config.temporal.namespace, ...(await openTraces(config))?.client });
  } catch (cause) {
    if (cause instanceof IntakeError) throw cause;
    throw new IntakeError('TEMPORAL_UNAVAILABLE', `Temporal does not answer at ${config.temporal.address}`, { cause });
  }
}
