/** Options that say how texts are cleaned, of every command that takes rows. */
import { Option } from 'commander';

export interface TextFlags {
  readonly nullWords?: readonly string[];
  readonly decodeHtml?: boolean;
}

export const textOptions = (): Option[] => [
  new Option(
    '--null-words <words>',
    "words of empty cells, with commas; '' for none (NULL,\\N,#N/A,nan,...)",
  ).argParser(parseWords),
  new Option('--decode-html', 'decode HTML entities (&amp;)'),
];

const parseWords = (text: string): string[] => text.split(',').flatMap((word) => word.trim() || []);
