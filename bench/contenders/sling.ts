/** Sling loading into a new table by key: nothing landed, promoted or rejected. */
import { missingFromPath, run as runProgram, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const sling: Contender = {
  name: 'sling',
  about: 'Sling, file without ragged rows into a new table by key: no landing table, no promotion, no rejects',
  missing: missingFromPath('sling'),
  run,
};

async function run({ stack, cleanedFile, workDir }: Course): Promise<Outcome> {
  const target = new URL(stack.databaseUrl);
  target.searchParams.set('sslmode', 'disable');
  const env = { BENCH_TARGET: target.href, SLING_HOME_DIR: `${workDir}/sling`, SLING_DISABLE_TELEMETRY: 'TRUE' };
  const words = ['--src-stream', `file://${cleanedFile}`, '--tgt-conn', 'BENCH_TARGET'];
  const table = ['--tgt-object', 'bench_loaders.sling', '--mode', 'incremental'];
  const key = ['--primary-key', 'plaintiff_name', '--primary-key', 'email'];
  return { seconds: await timed(() => runProgram('sling', ['run', ...words, ...table, ...key], { env })) };
}
