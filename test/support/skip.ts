/** Skips a test or a suite and says why: the reporter lists it after the last test. */
import type { Context, Suite } from 'mocha';

/** The reason of each test and suite that is skipped. */
const reasons = new WeakMap<object, string>();

/** Skips the running test; from a hook, its suite. */
export function skip(context: Context, reason: string): never {
  const running = context.test!;
  reasons.set((running as { type?: string }).type === 'hook' ? running.parent! : running, reason);
  return context.skip();
}

/** `describe` of a suite that cannot run here. */
export const describeSkipped =
  (reason: string) =>
  (title: string, body: (this: Suite) => void): void => {
    const suite = describe.skip(title, body);
    if (suite) reasons.set(suite, reason);
  };

/** Why a test was skipped: its own reason, or that of a suite around it. */
export function reasonOf(test: Mocha.Test): string {
  for (let place: object | undefined = test; place; place = (place as Mocha.Test).parent) {
    const reason = reasons.get(place);
    if (reason) return reason;
  }
  return 'no reason given';
}
