/** Entry of a thread that reads bodies. */
export { readBatch as default } from './readBatch.ts';
