/** `intake schema`: what a file of a kind looks like, as JSON Schema. */
import type { Command } from 'commander';
import { kindNamed } from '../../kinds/index.ts';
import type { CsvKind, DirectoryKind } from '../../kinds/kind.ts';
import { addCommand, run, type CommonOptions } from '../command.ts';

export function define(program: Command): void {
  addCommand(
    program,
    'schema',
    'Columns, headers and requirements of a kind, as JSON Schema',
    'intake schema plaintiffs',
  )
    .argument('<kind>', 'the kind')
    .action(
      run<CommonOptions>(async ({ args: [kind = ''] }) => {
        process.stdout.write(`${JSON.stringify(schemaOf(kindNamed(kind)), undefined, 2)}\n`);
      }),
    );
}

/** A row of the kind under our names; `x-headers` are the headers that mean a column, matched without case, spaces, `-` and `_`. */
export function schemaOf(kind: CsvKind | DirectoryKind): object {
  if (kind.reads === 'directory') return kind.schema;
  const { name, title, columns, required } = kind;
  const always = required.filter((group) => group.length === 1).flat();
  const choices = required.filter((group) => group.length > 1);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `intake:${name}`,
    title,
    type: 'object',
    properties: Object.fromEntries(
      columns.map((column) => [column.name, { type: 'string', 'x-headers': [column.name, ...column.aliases] }]),
    ),
    required: always,
    ...(choices.length > 0
      ? { allOf: choices.map((group) => ({ anyOf: group.map((column) => ({ required: [column] })) })) }
      : {}),
    additionalProperties: { type: 'string', description: 'Kept in raw_payload.' },
  };
}
