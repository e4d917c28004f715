/** Starting an import, or attaching to the one that is running. */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { differenceOf } from '../messages/place.ts';
import { inPlaceOf, otherStore, type PlaceBackend } from '../database/identity.ts';
import { filesIn, order, ORDER_HOURS } from '../database/orders.ts';
import { IntakeError } from '../errors.ts';
import type { AnyInput } from '../messages/imports.ts';
import { decidingOptions, differingOptions, type OptionWord } from '../messages/options.ts';
import { importOptions } from '../messages/startOptions.ts';
import { memoOfOther, startOrAttach } from '../temporal/start.ts';
import { shellWord } from '../values/text.ts';
import { isDirectory, tenantOf, workflowIdOf } from './request.ts';

export interface StartedImport {
  readonly handle: WorkflowHandle;
  /** Whether it was running already. */
  readonly attached: boolean;
}

/**
 * Starts the import, or attaches to the one that is running.
 * @param backend of who orders its files, unless the worker's INTAKE_FILES allows them.
 * @throws IntakeError OPTIONS_DIFFER when that one has other options that decide what happens, DATABASE_MISMATCH when it is at work elsewhere.
 */
export async function startOrAttachImport(
  client: Client,
  asked: AnyInput,
  backend?: PlaceBackend,
): Promise<StartedImport> {
  const input = backend ? await inPlaceOf(asked, backend) : asked;
  if (backend) await order(backend, 'file', filesIn(input), ORDER_HOURS);
  const starter = randomUUID();
  const options = importOptions({ workflowId: workflowIdOf(input), input, starter, tenant: tenantOf(input) });
  const handle = await startOrAttach(client, isDirectory(input) ? 'importDirectory' : 'importFile', input, options);
  const other = await memoOfOther(handle, starter);
  requireSamePlace(other, input);
  const written = other?.['options']; // one that an older version started has none
  const differing =
    typeof written === 'string' ? differingOptions(JSON.parse(written) as OptionWord[], decidingOptions(input)) : '';
  if (differing)
    throw new IntakeError('OPTIONS_DIFFER', `${input.filename} is being imported with other options: ${differing}`, {
      remedy: `Watch that import to its end: intake runs watch ${shellWord(handle.workflowId)}, or stop it: intake cancel ${shellWord(handle.workflowId)}`,
    });
  return { handle, attached: other !== undefined };
}

/** What runs under this name writes to the database and the objects of who started it. */
function requireSamePlace(there: Record<string, unknown> = {}, input: AnyInput): void {
  const { objects, target, filename } = input;
  const difference = differenceOf(there, input);
  if (difference === 'database')
    throw new IntakeError('DATABASE_MISMATCH', `${filename} is being imported into another database than ${target}`);
  if (difference) throw otherStore(`${filename} is being imported with other objects than those in ${objects?.name}`);
}

/** The same for who needs not know whether it was running already. */
export const startImport = async (client: Client, input: AnyInput, backend?: PlaceBackend): Promise<WorkflowHandle> =>
  (await startOrAttachImport(client, input, backend)).handle;
