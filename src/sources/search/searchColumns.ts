/** Stage columns of search results beside the common ones: a licence's own, then those of its file. */
import { LICENCE_COLUMNS } from './licences.ts';

export const SEARCH_COLUMNS = [
  ...LICENCE_COLUMNS,
  'dataset_tag',
  'file_path',
  'file_sha256',
  'image_sha256',
  'image_path',
  'image_type',
  'image_size',
  'image_error',
  'image_message',
  'image_item',
  'duplicate',
] as const;
