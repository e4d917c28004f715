/** The workflows as one bundle, built once for their sources and kept: bundling takes seconds and much memory. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
/** Made by `npm run build` beside the compiled code; with the interceptors of traces only where it made that, too. */
const prebuilt = (traced: boolean): string =>
  join(here, traced ? '../workflow-bundle-traced.js' : '../workflow-bundle.js');

const OPENTELEMETRY = fileURLToPath(
  import.meta.resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors.js'),
);

/**
 * Path of the bundle, built in a process of its own when the sources or the SDK changed.
 * @param cacheDir where built bundles are kept.
 * @param traced with OpenTelemetry's interceptors.
 * @param interceptors paths of modules of interceptors that another composition root adds.
 */
export function workflowBundle(cacheDir: string, traced = false, interceptors: readonly string[] = []): string {
  if (interceptors.length === 0 && existsSync(prebuilt(traced))) return prebuilt(traced);
  const sdk = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  const hash = createHash('sha256').update(`${sdk.version} ${traced}`);
  const sources = [here, join(here, '../messages')].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(`.${extension}`))
      .map((name) => join(folder, name)),
  );
  for (const file of [...sources, join(here, `../errors.${extension}`), ...interceptors].sort()) {
    hash.update(readFileSync(file));
  }
  const bundle = join(cacheDir, `workflows-${traced ? 'traced-' : ''}${hash.digest('hex').slice(0, 16)}.js`);
  if (!existsSync(bundle)) {
    mkdirSync(cacheDir, { recursive: true });
    const { status } = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), bundle, ...(traced ? ['--traced'] : []), ...interceptors],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    if (status !== 0) throw new Error('the workflow bundle could not be built');
  }
  return bundle;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(here, `index.${extension}`),
    workflowInterceptorModules: process.argv.slice(3).map((name) => (name === '--traced' ? OPENTELEMETRY : name)),
    logger: new DefaultLogger('WARN'),
  });
  const target = process.argv[2] as string;
  writeFileSync(`${target}.${process.pid}`, code);
  renameSync(`${target}.${process.pid}`, target);
}
