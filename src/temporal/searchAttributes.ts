/** The search attributes that a namespace has, beside those that Intake needs. */
import { shellWord } from '../values/text.ts';
import { SEARCH_ATTRIBUTES } from '../messages/attributeNames.ts';

/** As Temporal numbers them. */
const TYPES = ['unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'] as const;
const KEYWORD = 2;

export interface AttributeState {
  readonly missing: readonly string[];
  /** Of another type than Keyword, with that type. */
  readonly mistyped: readonly { readonly name: string; readonly type: string }[];
}

/** @throws what Temporal refuses: not every key may list them. */
export async function attributeState({
  connection,
  options: { namespace },
}: {
  readonly connection: unknown;
  readonly options: { readonly namespace: string };
}): Promise<AttributeState> {
  const { operatorService } = connection as unknown as {
    operatorService: { listSearchAttributes(request: object): Promise<{ customAttributes: Record<string, number> }> };
  };
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const names = Object.values(SEARCH_ATTRIBUTES);
  return {
    missing: names.filter((name) => !Object.hasOwn(customAttributes, name)),
    mistyped: names
      .filter((name) => Object.hasOwn(customAttributes, name) && customAttributes[name] !== KEYWORD)
      .map((name) => ({ name, type: TYPES[customAttributes[name] as number] ?? String(customAttributes[name]) })),
  };
}

/** How to register them: on a cluster of one's own, and in Temporal Cloud. */
/** @param place of Temporal, as far as it is known. */
export function attributeRemedy(
  { namespace, address }: { readonly namespace?: string | undefined; readonly address?: string | undefined } = {},
  names: readonly string[] = Object.values(SEARCH_ATTRIBUTES),
): string {
  const [own, cloud] = [
    names.map((name) => `--name ${name} --type Keyword`).join(' '),
    names.map((name) => `--search-attribute "${name}=Keyword"`).join(' '),
  ];
  const of = shellWord(namespace ?? 'NAMESPACE');
  const at = address ? ` --address ${shellWord(address)}` : '';
  return (
    `temporal operator search-attribute create${at} --namespace ${of} ${own}; in Temporal Cloud: ` +
    `tcld namespace search-attributes add --namespace ${of} ${cloud}, or the settings of the namespace.`
  );
}

/** Whether all are there as Intake needs them; true where that cannot be asked. */
export const hasAttributes = (connection: unknown, namespace: string): Promise<boolean> =>
  attributeState({ connection, options: { namespace } }).then(
    ({ missing, mistyped }) => missing.length + mistyped.length === 0,
    () => true,
  );
