/** Addresses in Temporal UI. */
export interface TemporalUi {
  /** Without a slash at its end. */
  readonly url: string;
  readonly namespace: string;
}

export const workflowUrl = ({ url, namespace }: TemporalUi, workflowId: string): string =>
  `${url}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
