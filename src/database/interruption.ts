/** Who no longer waits for an answer says so to whatever asks the database for him: calls need no parameter for it. */
import { AsyncLocalStorage } from 'node:async_hooks';

const signals = new AsyncLocalStorage<AbortSignal>();

/** Statements that `work` sends are cancelled when `signal` aborts. */
export const interruptible = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => signals.run(signal, work);

/** Of the work that asks now. */
export const interruption = (): AbortSignal | undefined => signals.getStore();
