/** Texts of a project, in characters: the same in a file and over HTTP. The key is part of an index, which takes no more than 2,700 bytes. */
export const LONGEST = { key: 200, address: 2000, text: 500 } as const;
