/** Mocha loads this once (`--require`): the shared stack starts lazily and is stopped after the last test. */
import { stopSharedStack } from './stack.ts';

export const mochaGlobalTeardown = stopSharedStack;
