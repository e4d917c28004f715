/** Headers under which other programs export people: Google Contacts, Outlook, Salesforce, HubSpot, QuickBooks and others. */

/** Tried in this order where a file has none of our own words for the column. */
export const ALSO = {
  name: [
    'full name',
    'client name',
    'client',
    'display name',
    'customer name',
    'customer',
    'company name',
    'company',
    'account name',
    'organization name',
  ],
  email: ['email address', 'primary email', 'e-mail 1 - value', 'email 1', 'main email', 'work email', 'mail'],
  phone: [
    'phone number',
    'telephone',
    'telephone number',
    'tel',
    'primary phone',
    'phone 1 - value',
    'main phone',
    'business phone',
    'work phone',
    'mobile',
    'mobile phone',
    'mobile number',
    'cell',
    'cell phone',
    'home phone',
  ],
  address: [
    'street address',
    'mailing address',
    'address 1 - formatted',
    'billing address',
    'address 1',
    'address line 1',
    'street',
    'mailing street',
    'billing street',
    'business street',
    'home street',
  ],
  firm: ['company', 'company name', 'account name', 'organization name', 'organization'],
} as const;

/** First and last name in columns of their own. */
export const NAME_PARTS = [
  ['first name', 'middle name', 'last name'],
  ['first name', 'last name'],
  ['given name', 'family name'],
  ['first', 'last'],
] as const;
