/** Mocha's spec report, ended by the plain line that machines read: `N passed, N failed`. */
import Mocha from 'mocha';

export default class PlainEnding extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    console.log(`${passes} passed, ${failures} failed${pending ? `, ${pending} skipped` : ''}`);
  }
}
