/** Mocha's spec report, ended by the skipped tests with their reasons and the line that machines read: `N passed, N failed`. */
import Mocha from 'mocha';
import { reasonOf } from './skip.ts';

export default class PlainEnding extends Mocha.reporters.Spec {
  readonly #skipped = new Map<string, string[]>();

  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.on('pending', (test) => {
      const reason = reasonOf(test);
      this.#skipped.set(reason, [...(this.#skipped.get(reason) ?? []), test.fullTitle()]);
    });
  }

  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    for (const [reason, [first, ...rest]] of this.#skipped)
      console.log(`skipped: ${first}${rest.length ? ` and ${rest.length} more` : ''} (${reason})`);
    console.log(`${passes} passed, ${failures} failed${pending ? `, ${pending} skipped` : ''}`);
  }
}
