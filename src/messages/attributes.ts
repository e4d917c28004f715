/** Search attributes of all workflows, keywords each: what operators filter by in Temporal UI. */
import { SEARCH_ATTRIBUTES } from './attributeNames.ts';
import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';

export { SEARCH_ATTRIBUTES };

export type Attributes = { readonly [name in keyof typeof SEARCH_ATTRIBUTES]?: string | undefined };

export const attributeKey = (name: keyof Attributes) =>
  defineSearchAttributeKey(SEARCH_ATTRIBUTES[name], SearchAttributeType.KEYWORD);

/** Those that are given, as Temporal takes them. */
export const attributePairs = (attributes: Attributes): SearchAttributePair[] =>
  Object.entries(attributes).flatMap(([name, value]) =>
    value ? [{ key: attributeKey(name as keyof Attributes), value }] : [],
  );
