/** Deletes old batches and anomalies of projects, what old runs have landed, and images that nothing refers to any more; run twice it finds nothing more. */
import { Context } from '@temporalio/activity';
import type { RetentionInput, RetentionReport, RunDays } from '../../messages/schedules.ts';
import type { BackendName } from '../../config.ts';
import { fewerRows } from '../../database/sqlError.ts';
import { storageTypeOf, type Backend } from '../../database/backend.ts';
import type { Deps } from '../deps.ts';
import { inLanes } from '../directory/lanes.ts';
import { heartbeat } from '../heartbeat.ts';
import { requireOrder } from '../ordered.ts';
import { removeOriginal } from '../removeOriginal.ts';

/** Of runbook 003: whoever starts a cleanup may keep as much. */
const USUAL_DAYS = { imports: 60, anomalies: 90 };

/** Removals from storage at a time. */
const REMOVED_AT_ONCE = 8;

type Retired = Required<RetentionReport>['retired'];

export const retentionActivity = ({ backend }: Deps) => ({
  async cleanImportData({
    backend: name,
    importsDays,
    anomaliesDays,
  }: Omit<RetentionInput, 'taskQueue' | 'runDays'>): Promise<RetentionReport> {
    if (importsDays < USUAL_DAYS.imports || anomaliesDays < USUAL_DAYS.anomalies)
      await requireOrder(backend(name), 'retention', [{ importsDays, anomaliesDays }], 'to delete by these days');
    return backend(name).call('clean_import_data', { imports_days: importsDays, anomalies_days: anomaliesDays });
  },

  /** In transactions of some thousand rows; an attempt that comes after another one counts what is left. */
  async retireRuns({
    backend: name,
    runDays,
  }: {
    readonly backend: BackendName;
    readonly runDays: RunDays;
  }): Promise<Retired> {
    await requireOrder(backend(name), 'runs', [{ days: runDays }], 'to delete rows of runs by these days');
    const { call, objects } = backend(name);
    const inParts = fewerRows(10_000);
    const sum: { -readonly [K in keyof Retired]: Retired[K] } = {
      runs: 0,
      landed_rows: 0,
      ledger_rows: 0,
      originals: 0,
      images: 0,
    };
    for (;;) {
      const { more, runs, landed_rows, ledger_rows, queued_jobs } = await inParts((max_rows) =>
        call('retire_runs', { days: runDays, max_rows }),
      );
      sum.runs += runs;
      sum.landed_rows += landed_rows;
      sum.ledger_rows += ledger_rows;
      if (queued_jobs) sum.queued_jobs = (sum.queued_jobs ?? 0) + queued_jobs;
      if (!more) break;
      heartbeat({ done: sum.landed_rows, total: sum.landed_rows });
    }
    for (;;) {
      // One at a time, asked for anew: of those that wait for their turn one may be imported again.
      const paths = await call('unused_originals', { backend: name, max_rows: 1 });
      if (paths.length === 0) break;
      for (const path of paths) await removeOriginal(objects, path);
      await call('forget_originals', { paths });
      heartbeat({ done: (sum.originals += paths.length), total: sum.originals });
    }
    return { ...sum, images: await retireImages(backend(name), runDays) };
  },
});

/** They leave the list of stored images first, so that no import is told of one that goes. @returns how many. */
async function retireImages(target: Backend, days: RunDays): Promise<number> {
  const { call, objects } = target;
  const storage_type = storageTypeOf(target);
  const inParts = fewerRows(10_000);
  for (let after: string | undefined = ''; after !== undefined;) {
    const from: string = after;
    ({ after } = await inParts((max_rows) => call('retire_images', { days, storage_type, after: from, max_rows })));
  }
  for (let images = 0; ;) {
    const paths = await call('unused_images', { storage_type });
    if (paths.length === 0) return images;
    await inLanes(paths, REMOVED_AT_ONCE, Context.current().cancellationSignal, (path) => objects.remove(path));
    await call('forget_unused_images', { paths, storage_type });
    images += paths.length;
    heartbeat({ done: images, total: images });
  }
}
