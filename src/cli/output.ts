/** Where a command's words go: answers to stdout, everything else to stderr; with --json one document on stdout. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { styleText } from 'node:util';
import { asCalled, commandsAsCalled } from './asCalled.ts';
import { exitWith } from './exit.ts';
import { errorDocument, errorLine, knownError } from './fault.ts';
import { jsonText } from './jsonStream.ts';
import type { ErrorDocument } from '../messages/imports.ts';
import { printable } from '../observability/printable.ts';

export interface OutputOptions {
  readonly json?: boolean;
  readonly pretty?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly debug?: boolean;
  /** Of a list. */
  readonly output?: string;
}

type Style = Parameters<typeof styleText>[0];

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Whether stderr is a terminal on which a display may be redrawn. */
  readonly live: boolean;
  /** The answer of the command. */
  answer(line: string): void;
  /** What is useful beside the answer; not with --quiet. */
  detail(line: string): void;
  /** What happens now, on stderr; not with --quiet. */
  note(line: string): void;
  /** One line on stderr, always. */
  error(document: ErrorDocument): void;
  /** The document of --json. */
  document(value: unknown): void;
  /** The same with lists of any length: an async iterable is an array of what it gives, written as it comes. */
  stream(value: unknown): Promise<void>;
  style(style: Style, text: string): string;
  /** A line as it may be written to a terminal, with its styles: what of it came from elsewhere commands nothing. */
  line(text: string): string;
}

/** Blanks of a level of a document with --pretty. */
const INDENT = 2;

export function createOutput({
  json: asked = false,
  pretty = false,
  quiet = false,
  color = true,
  debug = false,
  output,
}: OutputOptions): Output {
  const lines = output === 'jsonl';
  const json = asked || pretty || lines || output === 'json';
  const colored = color && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' && process.stderr.isTTY === true;
  // Styles stand in a line under a word that nobody else can know: any other escape is part of somebody's text.
  const escape = `<${randomUUID()}>`;
  const line = (text: string): string => printable(text).replaceAll(escape, '\x1b');
  const out = (text: string) => void process.stdout.write(`${line(text)}\n`);
  const err = (text: string) => void process.stderr.write(`${line(text)}\n`);
  const outJson = (text: string) => void process.stdout.write(`${printable(text, { lines: true })}\n`);
  return {
    json,
    quiet,
    debug,
    live: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && !json && !quiet,
    answer: (line) => json || out(line),
    detail: (line) => json || quiet || out(asCalled(line)),
    note: (line) => quiet || err(asCalled(line)),
    error: (document) => json || err(asCalled(errorLine(document))),
    document: (value) => {
      if (lines && Array.isArray(value)) for (const each of value) outJson(JSON.stringify(each, commandsAsCalled));
      else if (json) outJson(JSON.stringify(value, commandsAsCalled, pretty ? INDENT : undefined));
    },
    stream: async (value) => {
      if (!json) return;
      try {
        await pipeline(Readable.from(jsonText(value, pretty ? INDENT : 0)), process.stdout, { end: false });
        out('');
      } catch (error) {
        // Nothing may follow a document that was broken off, not even the document of its error.
        err(asCalled(errorLine(errorDocument(knownError(error)))));
        await exitWith(1);
      }
    },
    style: (style, text) =>
      colored ? styleText(style, printable(text), { validateStream: false }).replaceAll('\x1b', escape) : text,
    line,
  };
}
