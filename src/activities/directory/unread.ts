/** Why a file of the tree could not be read, as the code and message of its failed item. */
import type { Unread } from '../../sources/tree/insideFile.ts';
import { ROW_ERRORS, type RowErrorCode } from '../../errors.ts';

const of = (code: RowErrorCode, message: string = ROW_ERRORS[code]) => ({ code, message });

export const READ_ERRORS: Readonly<Record<Unread, { readonly code: RowErrorCode; readonly message: string }>> = {
  missing: of('CHANGED_FILE', 'The file was there when the directory was listed, and is gone.'),
  outside: of('FILE_UNREADABLE', 'The name leads out of the directory, where nothing is read.'),
  unreadable: of('FILE_UNREADABLE'),
  changed: of('CHANGED_FILE'),
  'too-large': of('JSON_TOO_LARGE'),
};
