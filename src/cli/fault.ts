/** Errors as an operator sees them: one line with code, message and remedy. */
import { CommanderError } from 'commander';
import { IntakeError } from '../errors.ts';
import type { ErrorDocument } from '../messages/imports.ts';
import { asCalled, commandsAsCalled } from './asCalled.ts';
import { printable } from '../observability/printable.ts';
import { temporalFault } from '../temporal/fault.ts';

export interface FaultOptions {
  readonly json: boolean;
  readonly debug: boolean;
  readonly command?: string | undefined;
}

/** Prints an error, as a JSON document on stdout with `json`. @returns the exit code. */
export function reportError(error: unknown, { json, debug, command }: FaultOptions): 1 | 2 {
  const known = knownError(error, command);
  const document = errorDocument(known);
  if (json) process.stdout.write(`${printable(JSON.stringify({ error: document }, commandsAsCalled))}\n`);
  else process.stderr.write(`${asCalled(errorLine(document))}\n`);
  if (debug) process.stderr.write(`${printable(stackOf(error), { lines: true })}\n`);
  return known.exitCode;
}

/** `CODE: message. remedy` */
export function errorLine({ code, message, remedy }: ErrorDocument): string {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return printable(`${code}: ${sentence} ${remedy}`.trimEnd());
}

export function errorDocument({ code, message, line, remedy }: IntakeError): ErrorDocument {
  return { code, message: line === undefined ? message : `${message} (line ${line})`, remedy };
}

export function knownError(error: unknown, command?: string): IntakeError {
  if (error instanceof IntakeError) return error;
  if (error instanceof CommanderError) {
    const help = `See intake ${command ? `${command} ` : ''}--help.`;
    return new IntakeError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' '), {
      cause: error,
      remedy: help,
    });
  }
  const refused = temporalFault(error);
  if (refused) return refused;
  return new IntakeError('INTERNAL', error instanceof Error ? error.message : 'failed', { cause: error });
}

/** Stack and causes; for the terminal of who asked for it with --debug. */
function stackOf(error: unknown): string {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    lines.push(cause.stack ?? cause.message);
  return lines.join('\nCaused by: ');
}
