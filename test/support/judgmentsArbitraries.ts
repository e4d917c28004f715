/** Random leads. */
import fc from 'fast-check';
import type { Lead } from './judgmentsImport.ts';

// Few values, so that everything collides; each in more than one spelling.
const maybe = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 3 });
export const lead = fc.record({
  name: fc.constantFrom('Ann', 'ANN ', 'Ann Lee', 'Lee, Ann', 'Bob', 'Cy', 'Di'),
  email: maybe('a@x.co', 'A@X.CO', 'b@x.co', 'c@x.co', 'no address'),
  phone: maybe(
    '5552125550001',
    '1 (212) 555-0001',
    '212-555-0001',
    '555-0001',
    '555-0001 x2',
    '5550002',
    '5550003',
    '5550004',
  ),
  address: maybe('1 Elm', '1 ELM', '2 Oak'),
  number: maybe('N1', 'n1', 'N2', 'N3', 'N4', 'N5', 'N6', 'N7', 'N8'),
  case: maybe('C1', 'c1', 'C2', 'C3', 'C4', 'C5', 'C6', 'N1', 'N2'),
}) as fc.Arbitrary<Lead>;
export const leads = fc.array(lead, { maxLength: 24 });
export const rule = fc.constantFrom('names' as const, 'contact' as const);
