/** Texts of others where people read them: on a terminal, and in logs that are looked at on one. */

/** What commands a terminal, reverses its text, or ends a line where none ends. Tabs and line ends are told apart below. */
const COMMANDS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * The text with what would command the terminal written out, as JSON writes it: `\u001b`. Names of files, values and headers may hold
 * anything, and so may what a tenant posts.
 * @param lines whether line ends are those of the text, and not of a name within it.
 */
export function printable(text: string, { lines = false }: { readonly lines?: boolean } = {}): string {
  const safe = (lines ? text.replaceAll('\r\n', '\n') : text).replace(COMMANDS, escaped);
  return lines ? safe : safe.replace(/\n/g, escaped);
}

const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
