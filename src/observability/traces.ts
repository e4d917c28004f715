/** OpenTelemetry traces: one exporter for the clients and workers of a process, loaded only where one is configured. */
import type { Config } from '../config.ts';
import type { Traces } from './spans.ts';

let opened: Promise<Traces> | undefined;

/** The traces of this process, the same at every call; undefined when none are configured. */
export async function openTraces({ traces }: Config): Promise<Traces | undefined> {
  return traces && (opened ??= import('./spans.ts').then(({ createTraces }) => createTraces(traces)));
}

/** Sends what is waiting; to be called before the process ends. Never fails, and waits for two seconds at most. */
export async function flushTraces(): Promise<void> {
  await (await opened)?.flush();
}
