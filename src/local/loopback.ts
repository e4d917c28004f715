/** Names under which a program of this machine is asked, and no page of another site can be. */
const NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

export const isLoopbackName = (name: string): boolean => NAMES.has(name.toLowerCase());
