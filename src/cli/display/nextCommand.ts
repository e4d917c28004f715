/** The commands that are printed as the next step: what was tried, with every option that decides what happens. */
import { parse } from 'node:path';
import { kindNamed } from '../../kinds/index.ts';
import type { AnyInput, ImportInput } from '../../messages/imports.ts';
import type { DirectoryOptions, ImportRequest } from '../../messages/requests.ts';
import { programName, word } from '../programName.ts';

/** The options that decide what a file means, as they were given. */
function optionWords({ options, batchId, batchName, sourceReference, fileHash, path }: ImportInput): string {
  const { map, encoding, delimiter, dateOrder, dateOrderAssumed, maxErrors, skipJobs, headerRow } = options;
  const limit = maxErrors && ('rows' in maxErrors ? String(maxErrors.rows) : `${maxErrors.percent}%`);
  const stem = parse(path).name;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ['batch-id', batchId === `sha256-${fileHash.slice(0, 32)}` ? undefined : batchId],
    ['batch-name', batchName === stem ? undefined : batchName],
    ['source-reference', sourceReference === batchName ? undefined : sourceReference],
    ...Object.entries(map).map(([theirs, ours]) => ['map', `${theirs}=${ours}`] as const),
    ['encoding', encoding],
    ['delimiter', delimiter],
    ['date-order', dateOrderAssumed ? undefined : dateOrder],
    ['max-errors', limit],
    ['header-row', headerRow],
    ['null-words', options.nullWords?.join(',')],
    ['match', options.match],
  ];
  const flags = [
    skipJobs && 'skip-jobs',
    options.strictHeaders && 'strict-headers',
    options.decodeHtml && 'decode-html',
  ];
  return [
    ...given.flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${word(String(value))}`])),
    ...flags.flatMap((name) => (name ? [` --${name}`] : [])),
  ].join('');
}

/** Options of a directory, as they were given. */
function directoryWords(path: string, { tag, singleFile, ...others }: DirectoryOptions): string {
  const given = Object.entries(others).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    const flag = ` --${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [`${flag} ${word(String(value))}`];
  });
  const single = singleFile === undefined ? '' : ` --single-file ${word(singleFile)}`;
  return `--states-dir ${word(path)}${tag === undefined ? '' : ` --tag ${word(tag)}`}${single}${given.join('')}`;
}

/** The commit of what was tried, with every option that decides what happens. */
export function commitCommand(request: ImportRequest, input: AnyInput | undefined): string {
  const { path, directory, sourceSystem, backend } = request;
  const kind = input?.kind ?? request.kind;
  const { environment } = process.env['SUPABASE_MODE'] ? { environment: process.env['SUPABASE_MODE'] } : {};
  return [
    `${programName()} import ${kind} ${directory ? directoryWords(path, directory) : word(path)}`,
    sourceWords(kind, sourceSystem),
    input && 'options' in input ? optionWords(input) : '',
    backend === undefined ? '' : ` --backend ${backend}`,
    environment === undefined ? '' : ` --env ${word(environment)}`,
    ' --commit',
  ].join('');
}

/** The import of mended rejects of a run, which means them as their run did. */
export function mendCommand(file: string, input: ImportInput): string {
  // The batch is another, and the header stands where it stands in every file of rejects.
  const options = { ...input.options, headerRow: undefined } as unknown as ImportInput['options'];
  const mended = { ...input, ...ownBatch(input.fileHash, file), options };
  return `${programName()} import ${input.kind} ${word(file)}${sourceWords(input.kind, input.sourceSystem)}${optionWords(mended)} --commit`;
}

const ownBatch = (hash: string, path: string) => ({
  path,
  batchId: `sha256-${hash.slice(0, 32)}`,
  batchName: parse(path).name,
  sourceReference: parse(path).name,
});

function sourceWords(kind: string, sourceSystem: string | undefined): string {
  if (sourceSystem === undefined || sourceSystem === kindNamed(kind).defaultSource) return '';
  return ` --${kindNamed(kind).sourceIsTenant ? 'tenant' : 'source-system'} ${word(sourceSystem)}`;
}
