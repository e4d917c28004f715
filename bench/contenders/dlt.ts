/** dlt merging into one table by key: no landing table, nothing promoted. */
import { spawnSync } from 'node:child_process';
import { onPath, run as runProgram, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';

/** A Python that has dlt; `BENCH_PYTHON` names one of a virtual environment. */
const python = (): string | undefined => process.env['BENCH_PYTHON'] ?? onPath('python3');

export const dlt: Contender = {
  name: 'dlt',
  about: 'dlt merge into one table by key, file without ragged rows: no landing table, no promotion',
  missing() {
    const found = python();
    if (found === undefined) return 'python3 is not on PATH';
    return spawnSync(found, ['-c', 'import dlt, psycopg2']).status === 0 ? undefined : `${found} has no dlt[postgres]`;
  },
  run,
};

const SCRIPT = `
import csv, hashlib, os, dlt

def rows():
    with open(os.environ['BENCH_FILE'], newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            key = '|'.join(['csv', row['plaintiff_name'].strip().lower(), row['email'].strip().lower()])
            row['dedupe_key'] = hashlib.sha256(key.encode()).hexdigest()
            yield row

def batches(size=10000):
    batch = []
    for row in rows():
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch

pipeline = dlt.pipeline('bench', pipelines_dir=os.environ['BENCH_DIR'], dataset_name='bench_dlt',
                        destination=dlt.destinations.postgres(os.environ['BENCH_URL']))
pipeline.run(batches(), table_name='plaintiffs', write_disposition='merge', primary_key='dedupe_key').raise_on_failed_jobs()
`;

async function run({ stack, cleanedFile, workDir }: Course): Promise<Outcome> {
  const env = {
    BENCH_FILE: cleanedFile,
    BENCH_URL: stack.databaseUrl,
    BENCH_DIR: `${workDir}/dlt`,
    RUNTIME__DLTHUB_TELEMETRY: 'false',
    RUNTIME__LOG_LEVEL: 'ERROR',
  };
  const seconds = await timed(() => runProgram(python() as string, ['-'], { input: SCRIPT, env }));
  return { seconds };
}
