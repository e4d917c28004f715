/**
 * activities/schedules/: What schedules need: a request made whole, counts of anomalies, deletion.
 *
 * What a schedule's import is started with: its file is read for the hash when its time has come, on the host that
 * holds it.
 */
import { importInput, isDirectory, workflowIdOf } from '../../imports/request.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import type { AnyInput } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';

export interface PreparedImport {
  readonly workflow: 'importFile' | 'importDirectory';
  readonly workflowId: string;
  readonly input: AnyInput;
}

export const prepareImportActivity = ({ config }: Deps) => ({
  async prepareImport(request: ImportRequest): Promise<PreparedImport> {
    const input = await importInput(config, request);
    return { workflow: isDirectory(input) ? 'importDirectory' : 'importFile', workflowId: workflowIdOf(input), input };
  },
});
