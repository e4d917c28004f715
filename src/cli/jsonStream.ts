/** JSON with lists that come an item at a time: the text of `JSON.stringify`, of any size, in pieces. */

import { commandsAsCalled } from './asCalled.ts';
import { printable } from '../observability/printable.ts';

/** Characters of a piece, about: few writes, little memory. */
const PIECE = 64 * 1024;

/**
 * The text of a value as `JSON.stringify` writes it; an async iterable, the value itself or within plain objects, is an array
 * of its items.
 * @param indent blanks of a level; 0 for one line.
 */
export async function* jsonText(value: unknown, indent = 0): AsyncGenerator<string> {
  let piece = '';
  for await (const token of tokens(value, indent, indent > 0 ? '\n' : '')) {
    piece += token;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** @param margin what stands before the value's closing bracket: a line end and the blanks of its level, or nothing. */
async function* tokens(value: unknown, indent: number, margin: string): AsyncGenerator<string> {
  const inner = margin && margin + ' '.repeat(indent);
  let before = '';
  if (isIterable(value)) {
    for await (const item of value) {
      yield `${before || '['}${inner}${flat(item, indent, inner)}`;
      before = ',';
    }
    yield before ? `${margin}]` : '[]';
  } else if (isPlainObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (item === undefined) continue;
      yield `${before || '{'}${inner}${flat(name, 0, '')}:${indent > 0 ? ' ' : ''}`;
      yield* tokens(commandsAsCalled(name, item), indent, inner);
      before = ',';
    }
    yield before ? `${margin}}` : '{}';
  } else {
    yield flat(value, indent, margin);
  }
}

/** A value without iterables; the line ends of the text are its layout, as no string holds one. */
const flat = (value: unknown, indent: number, margin: string): string =>
  printable(JSON.stringify(value, commandsAsCalled, indent), { lines: true }).replaceAll('\n', margin);

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
