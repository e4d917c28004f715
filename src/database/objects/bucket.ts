/** The bucket of runbook 000. */
export const BUCKET = 'imports';
