/** One lane of the whole run (scripts/test.mjs): the files of tests that its parent names, one after another, on one shared stack. */
import Mocha from 'mocha';
import mocharc from '../../.mocharc.json' with { type: 'json' };
import PlainEnding from './reporter.ts';
import { stopSharedStack } from './stack.ts';

const end = (status = 0): void => void stopSharedStack().finally(() => process.exit(status));

process.on('message', (file: string) => (file === 'end' ? end() : void runFile(file)));
process.once('disconnect', () => end());
process.send!('ready');

async function runFile(file: string): Promise<void> {
  const mocha = new Mocha({ timeout: mocharc.timeout, reporter: PlainEnding });
  mocha.addFile(file);
  try {
    await mocha.loadFilesAsync();
  } catch (error) {
    console.error(error);
    return end(1);
  }
  mocha.run(() => {
    mocha.dispose(); // else its runner goes on listening to the process, beside those of all files that follow
    process.send!('ended');
  });
}
