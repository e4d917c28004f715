/** A backend whose traffic is counted. */
import type { Metrics } from '../../observability/metrics.ts';
import type { Backend } from '../backend.ts';

export function measured(backend: Backend, metrics: Metrics): Backend {
  const { objects } = backend;
  return {
    ...backend,
    async stage(chunk) {
      const { length } = chunk.payload; // the backend may hand the buffer on
      const pieces = await backend.stage(chunk);
      metrics.bytes('staged', length);
      return pieces;
    },
    objects: {
      ...objects,
      async put(path, bytes, contentType) {
        await objects.put(path, bytes, contentType);
        metrics.bytes('stored', bytes.length);
      },
      async get(path) {
        const bytes = await objects.get(path);
        metrics.bytes('fetched', bytes.length);
        return bytes;
      },
    },
  };
}
