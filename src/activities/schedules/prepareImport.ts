/**
 * activities/schedules/: What schedules need: a request made whole, counts of anomalies, deletion.
 *
 * What a schedule's import is started with: its file is read for the hash when its time has come, on the host that
 * holds it.
 */
import { importInput, isDirectory, tenantOf, workflowIdOf } from '../../imports/request.ts';
import { placeOf } from '../../database/identity.ts';
import { placeIn, type Place } from '../../messages/place.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import type { AnyInput } from '../../messages/imports.ts';
import type { Deps } from '../deps.ts';

export interface PreparedImport {
  readonly workflow: 'importFile' | 'importDirectory';
  readonly workflowId: string;
  readonly input: AnyInput;
  readonly tenant?: string | undefined;
}

export const prepareImportActivity = ({ config, backend }: Deps) => ({
  async prepareImport(request: ImportRequest & Place): Promise<PreparedImport> {
    const asked = await importInput(config, request, async (id, name) => {
      const [run] = await backend(name ?? config.backend).call('find_run', { id });
      return run;
    });
    const input = { ...asked, ...(await placeOf(backend(asked.backend))), ...placeIn(request) };
    const workflow = isDirectory(input) ? 'importDirectory' : 'importFile';
    return { workflow, workflowId: workflowIdOf(input), input, tenant: tenantOf(input) };
  },
});
