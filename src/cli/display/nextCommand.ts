/** The commands that are printed as the next step: what was tried, with every option that decides what happens. */
import { parse } from 'node:path';
import type { BackendName } from '../../config.ts';
import { kindNamed } from '../../kinds/index.ts';
import type { DirectoryInput } from '../../messages/directory.ts';
import type { AnyInput, ImportInput } from '../../messages/imports.ts';
import { directoryOptions, fileOptions, type OptionWord } from '../../messages/options.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import type { Remarks } from '../../messages/remarks.ts';
import { shellWord } from '../../values/text.ts';

/** How fast it is does not decide what happens. */
const OF_SPEED: ReadonlySet<string> = new Set(['batch-size', 'max-workers', 'max-concurrent-uploads']);

/** The commit of what was tried: one command, or one for each order of dates where nobody stated it and some only fit the other. */
export function commitCommands(request: ImportRequest, input: AnyInput | undefined, remarks: Remarks): string[] {
  const { options } = input && 'options' in input ? input : {};
  if (!input || !options?.dateOrderAssumed || !remarks['OTHER_DATE_ORDER']?.count)
    return [commitCommand(request, input)];
  const { dateOrder: tried } = options;
  return ([tried, tried === 'mdy' ? 'dmy' : 'mdy'] as const).map((dateOrder) =>
    commitCommand(request, { ...input, options: { ...options, dateOrder, dateOrderAssumed: false } } as AnyInput),
  );
}

/** The commit of what was tried, with every option that decides what happens. */
function commitCommand(request: ImportRequest, input: AnyInput | undefined): string {
  const { path, directory, sourceSystem, backend } = request;
  const kind = input?.kind ?? request.kind;
  const words: OptionWord[] = directory
    ? [['states-dir', path], ...directoryOptions(directory), ...batchWords(request)]
    : input && 'options' in input
      ? givenWords(input)
      : [];
  return commandOf(kind, directory ? undefined : path, [
    ...sourceWords(kind, sourceSystem),
    ...words,
    ['backend', backend],
    ['commit', undefined],
  ]);
}

/**
 * The import of mended rejects of a run, or of its mended directory, which means them as their run did.
 * @param file the rejects; a directory is mended in its place.
 * @param usual the backend that needs no option.
 */
export function mendCommand(file: string, input: AnyInput, usual: BackendName): string {
  const isFile = 'options' in input;
  return commandOf(input.kind, isFile ? file : undefined, [
    ...(isFile ? mendedWords(file, input) : directoryWords(input)),
    ['backend', input.backend === usual ? undefined : input.backend],
    ['commit', undefined],
  ]);
}

function mendedWords(file: string, input: ImportInput): OptionWord[] {
  const stem = parse(file).name;
  // The batch is another, and the header stands where it stands in every file of rejects.
  const batch = { path: file, batchId: usualBatch(input.fileHash), batchName: stem, sourceReference: stem };
  return [
    ...sourceWords(input.kind, input.sourceSystem),
    ...givenWords({ ...input, ...batch }).filter(([name]) => name !== 'header-row'),
  ];
}

const directoryWords = (input: DirectoryInput): OptionWord[] => [
  ...sourceWords(input.kind, input.sourceSystem),
  ['states-dir', input.path],
  ...directoryOptions(input).filter(([name]) => !OF_SPEED.has(name)),
];

/** Without what nobody said: defaults, and what the file says itself. */
function givenWords({ batchId, batchName, sourceReference, fileHash, path, options }: ImportInput): OptionWord[] {
  const batch = batchWords({
    batchId: batchId === usualBatch(fileHash) ? undefined : batchId,
    batchName: batchName === parse(path).name ? undefined : batchName,
    sourceReference: sourceReference === batchName ? undefined : sourceReference,
  });
  const given = fileOptions({ options }).filter(([name]) => name !== 'date-order' || !options.dateOrderAssumed);
  return [...batch, ...given];
}

const usualBatch = (hash: string): string => `sha256-${hash.slice(0, 32)}`;

interface BatchNames {
  readonly batchId?: string | undefined;
  readonly batchName?: string | undefined;
  readonly sourceReference?: string | undefined;
}

const batchWords = ({ batchId, batchName, sourceReference }: BatchNames): OptionWord[] =>
  (
    [
      ['batch-id', batchId],
      ['batch-name', batchName],
      ['source-reference', sourceReference],
    ] as const
  ).filter(([, value]) => value !== undefined);

function sourceWords(kind: string, sourceSystem: string | undefined): OptionWord[] {
  if (sourceSystem === undefined || sourceSystem === kindNamed(kind).defaultSource) return [];
  return [[kindNamed(kind).sourceIsTenant ? 'tenant' : 'source-system', sourceSystem]];
}

/** Flags have no value; the backend is left away where none was named. */
function commandOf(kind: string, path: string | undefined, words: readonly OptionWord[]): string {
  const options = words.flatMap(([name, value]) => {
    if (name === 'backend' && value === undefined) return [];
    return value === undefined ? [`--${name}`] : [`--${name} ${shellWord(value)}`];
  });
  return ['intake import', kind, ...(path === undefined ? [] : [shellWord(path)]), ...options].join(' ');
}
