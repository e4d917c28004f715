/** Search attributes of all workflows, keywords each: what operators filter by in Temporal UI. */
import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';

export const SEARCH_ATTRIBUTES = {
  kind: 'IntakeKind',
  source: 'IntakeSource',
  tenant: 'IntakeTenant',
  /** Of an import: `running`, `waiting` for its host, then how it ended. */
  status: 'IntakeStatus',
} as const;

export type Attributes = { readonly [name in keyof typeof SEARCH_ATTRIBUTES]?: string | undefined };

export const attributeKey = (name: keyof Attributes) =>
  defineSearchAttributeKey(SEARCH_ATTRIBUTES[name], SearchAttributeType.KEYWORD);

/** Those that are given, as Temporal takes them. */
export const attributePairs = (attributes: Attributes): SearchAttributePair[] =>
  Object.entries(attributes).flatMap(([name, value]) =>
    value ? [{ key: attributeKey(name as keyof Attributes), value }] : [],
  );
