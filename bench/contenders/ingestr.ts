/** ingestr merging into one table by key: it fails on a key that comes twice in a file, so its key is the row's own number. */
import { missingFromPath, run as runProgram, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const ingestr: Contender = {
  name: 'ingestr',
  about:
    'ingestr merge into one table by the number of the row, file without ragged rows: no landing table, no promotion',
  missing: missingFromPath('ingestr'),
  run,
};

async function run({ stack, cleanedFile, workDir }: Course): Promise<Outcome> {
  const source = ['--source-uri', `csv://${cleanedFile}`, '--source-table', 'plaintiffs'];
  const target = ['--dest-uri', stack.databaseUrl, '--dest-table', 'bench_loaders.ingestr'];
  const merge = ['--incremental-strategy', 'merge', '--primary-key', 'external_id', '--progress', 'log', '--yes'];
  const env = { HOME: workDir, DISABLE_TELEMETRY: 'true' };
  return { seconds: await timed(() => runProgram('ingestr', ['ingest', ...source, ...target, ...merge], { env })) };
}
