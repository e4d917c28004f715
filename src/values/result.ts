/** values/: What a cell means: amounts, dates, contacts, keys. Pure. */
import type { RowErrorCode } from '../errors.ts';

/**
 * What became of a cell: its value (null for an empty one), or the code of what is wrong with it. Never thrown.
 * @typeParam Code codes beyond the common ones.
 */
export type Result<T, Code extends string = never> =
  | { readonly value: T | null; readonly error?: undefined }
  | { readonly error: RowErrorCode | Code; readonly hint?: string };

/** The result of every empty cell. */
export const EMPTY: { readonly value: null } = { value: null };
