/** A search result as scrapers write it, to be changed by a test. */

export const licence = (changes: object = {}): Record<string, unknown> => ({
  pharmacy_name: ' BIRCH PHARMACY ',
  license_number: 'PH100',
  license_status: 'Clear/',
  license_type: 'Pharmacy',
  issue_date: 'January 15, 2020',
  expiration_date: '2/28/2027',
  address: { street: '1 Main St', suite: '', city: 'Tampa', state: 'Florida', zip_code: '33601' },
  contact: { phone: '(813) 555-0100', email: null },
  additional_info: { specialties: ['Sterile'] },
  ...changes,
});

export const search = (licenses: unknown, metadata: object = {}, rest: object = {}): Record<string, unknown> => ({
  metadata: {
    pharmacy_name: 'Birch',
    search_timestamp: '2025-08-03T14:03:10.193602',
    state: 'FL',
    source_image_file: '/data/FL/Birch_01.png',
    search_result_type: 'pharmacy_data',
    ...metadata,
  },
  search_result: { licenses, result_status: 'found', search_query: 'Birch' },
  ...rest,
});

export const bytesOf = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));
