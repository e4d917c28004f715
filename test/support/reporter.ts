/** Mocha's spec report, ended by the failed and skipped tests, each with its reason, and the line that machines read: `N passed, N failed`. */
import { relative } from 'node:path';
import Mocha from 'mocha';
import { reasonOf } from './skip.ts';

export default class PlainEnding extends Mocha.reporters.Spec {
  readonly #skipped = new Map<string, string[]>();
  readonly #failed: string[] = [];

  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.on('fail', (test, error: unknown) => {
      const file = test.file ? relative(process.cwd(), test.file) : 'no file';
      const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      this.#failed.push(`failed: ${file}: ${test.fullTitle()} => ${reason}`);
    });
    runner.on('pending', (test) => {
      const reason = reasonOf(test);
      this.#skipped.set(reason, [...(this.#skipped.get(reason) ?? []), test.fullTitle()]);
    });
  }

  override epilogue(): void {
    super.epilogue();
    for (const line of this.#failed) console.log(line);
    const { passes, failures, pending } = this.stats;
    for (const [reason, [first, ...rest]] of this.#skipped)
      console.log(`skipped: ${first}${rest.length ? ` and ${rest.length} more` : ''} (${reason})`);
    console.log(`${passes} passed, ${failures} failed${pending ? `, ${pending} skipped` : ''}`);
  }
}
