/** Names of task queues. */

/** Of the host that holds a file: only its workers can read it. */
export const hostQueue = (taskQueue: string, host: string): string => `${taskQueue}@${host}`;
