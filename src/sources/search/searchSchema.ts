/** The published JSON Schema of a search result, compiled; its messages name the place and the rule, never a value. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { readSearchSchema } from './schemaFile.ts';

const SEARCH_SCHEMA = readSearchSchema();

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, ownProperties: true }).addSchema(SEARCH_SCHEMA);

/** What is wrong with a whole file, first fault only. */
export const fileFault = faultOf(SEARCH_SCHEMA.$id);

/** The same for one licence; `at` is its path. */
export const licenceFault = faultOf(`${SEARCH_SCHEMA.$id}#/$defs/license`);

export interface Fault {
  /** JSON pointer. */
  readonly path: string;
  readonly message: string;
}

/** Compiled for the first value: a worker comes up sooner. */
function faultOf(schema: string): (value: unknown, at?: string) => Fault | undefined {
  let validate: ValidateFunction | undefined;
  return (value, at = '') => {
    validate ??= ajv.getSchema(schema) as ValidateFunction;
    if (validate(value)) return undefined;
    const { instancePath, message } = validate.errors?.[0] as ErrorObject;
    const path = at + instancePath;
    return { path, message: `${path || 'the file'} ${message}` };
  };
}
