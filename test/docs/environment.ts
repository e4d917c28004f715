/** Files of the project, and the environment variables that its configuration knows. */
import { readFileSync } from 'node:fs';
import { SETTINGS } from '../../src/settings/schema.ts';

export const projectFile = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

export const configVariables = (): string[] => Object.keys(SETTINGS.entries);
