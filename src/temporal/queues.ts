/** Names of task queues, and texts in queries for workflows. */

/** A text as a list filter has it. */
export const inQuery = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Of the host that holds a file: only its workers can read it. */
export const hostQueue = (taskQueue: string, host: string): string => `${taskQueue}@${host}`;
