/** Spans of Temporal's interceptors, exported over OTLP/HTTP without anything that came from a file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { trace, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { ClientOptions } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type { ActivityInboundCallsInterceptor, WorkerOptions } from '@temporalio/worker';
import type { TracesConfig } from '../config.ts';

/** What goes into the options of a client, of a worker. */
export interface Traces {
  readonly client: Pick<ClientOptions, 'interceptors'>;
  readonly worker: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
  flush(): Promise<void>;
}

const FLUSH_MS = 2_000;
/** Attributes that leave the process: ids that Temporal has anyway, names of code, error codes. */
const ATTRIBUTES = [
  'temporalWorkflowId',
  'run_id',
  'temporalActivityId',
  'workflowId',
  'runId',
  'workflowType',
  'error.type',
];
/** Somebody watches: many, and no work. */
const LOOKS = /^(QueryWorkflow|HandleQuery|DescribeWorkflow)\b/;

export function createTraces({ endpoint, serviceName }: TracesConfig): Traces {
  const resource = new Resource({ 'service.name': serviceName });
  const processor = withoutData(
    new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }), {
      scheduledDelayMillis: 1_000,
    }),
  );
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  // 1.x: histories that its interceptors made do not replay with those of 2.x, which draw ids in another order.
  provider.register({ contextManager: new AsyncLocalStorageContextManager().enable() });
  const tracer = provider.getTracer('intake');
  return {
    client: { interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor({ tracer })] } },
    worker: {
      interceptors: {
        activity: [
          (context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context, { tracer }) }),
          () => ({ inbound: errorCodes }),
        ],
      },
      sinks: { exporter: { export: makeWorkflowExporter(processor, resource).export } },
    },
    async flush() {
      const waiting = new AbortController();
      const late = sleep(FLUSH_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
      // A collector that is away holds nobody up.
      await Promise.race([provider.forceFlush().catch(() => undefined), late]);
      waiting.abort();
    },
  };
}

/** Texts of errors may name files, and information about a workflow holds its memo: neither is exported. */
function withoutData(next: SpanProcessor): SpanProcessor {
  return {
    onStart: (span, parent) => next.onStart(span, parent),
    onEnd(span) {
      if (LOOKS.test(span.name)) return;
      const attributes: Attributes = Object.fromEntries(
        Object.entries(span.attributes).filter(([name]) => ATTRIBUTES.includes(name)),
      );
      const bare = {
        attributes: { value: attributes },
        events: { value: [] },
        status: { value: { code: span.status.code } },
      };
      next.onEnd(Object.create(span, bare) as ReadableSpan);
    },
    forceFlush: () => next.forceFlush(),
    shutdown: () => next.shutdown(),
  };
}

/** The code stands in for the text. */
const errorCodes: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type)
        trace.getActiveSpan()?.setAttribute('error.type', error.type);
      throw error;
    }
  },
};
