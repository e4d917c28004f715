/** Commands in sentences, as whoever reads them has to type them: the program by its name, with the stack and the environment that were named. */
import { programName } from './programName.ts';
import { shellWord } from '../values/text.ts';

/** Sentences say `intake runs`. */
const COMMAND = /(?<=^|[\s`('"])intake (?=(?:--)?[a-z]+\b)/g;

interface Named {
  readonly env?: string | undefined;
  readonly dir?: string | undefined;
}

let named: Named = {};
let called: string | undefined;

/** Hears what this process was called with. */
export function calledWith(options: Named): void {
  named = options;
}

/** A sentence with its commands as they are to be typed. */
export const asCalled = (sentence: string): string => sentence.replace(COMMAND, () => `${(called ??= prefix(named))} `);

/** Fields of documents that are sentences for whoever reads them. */
const SENTENCES: ReadonlySet<string> = new Set(['remedy', 'condition_remedy', 'next_step']);

/** For `JSON.stringify`: such fields with their commands as they are to be typed. */
export const commandsAsCalled = (field: string, value: unknown): unknown =>
  typeof value === 'string' && SENTENCES.has(field) ? asCalled(value) : value;

/** Options of every command may stand before it. */
const prefix = ({ env, dir }: Named): string =>
  [
    programName(),
    ...(env === undefined ? [] : ['--env', shellWord(env)]),
    ...(dir === undefined ? [] : ['--dir', shellWord(dir)]),
  ].join(' ');
