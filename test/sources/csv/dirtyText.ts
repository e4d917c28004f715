import fc from 'fast-check';

/** Random CSV text made of what CSV trips over, ends of lines and quotes in every wrong place. */
export const dirtyText = fc
  .array(
    fc.constantFrom(
      'a',
      'bc',
      '"',
      '""',
      ',',
      '","',
      '\n',
      '\r\n',
      '\r',
      '"\n',
      '\n"',
      ',"',
      '",',
      'z",b,"c\n',
      '"q\nr"\n',
      'é',
      ' ',
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));
