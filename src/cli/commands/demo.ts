/** `npm start`: the stack comes up and the bundled samples are imported, dry run first, then committed. */
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hashSecret, newSecret } from '../../database/secrets.ts';
import { importInput, workflowIdOf } from '../../imports/request.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import { KINDS } from '../../kinds/index.ts';
import type { ImportReport } from '../../messages/imports.ts';
import { react } from '../interrupt.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { follow } from './import.ts';
import { importDocument, type ImportFacts } from '../display/importDocument.ts';
import { exitCodeOf, summarize } from '../display/importSummary.ts';
import { programName } from '../programName.ts';
import type { Session } from '../session.ts';
import { addressLines, addressesOf, gatewayAnswers } from './stack.ts';

interface Flags extends CommonOptions {
  readonly exit?: boolean;
}

/** Whose sample projects are. */
const TENANT = 'SAMPLE';
const SAMPLES = new URL('../../../samples/', import.meta.url);

export function define(program: Command): void {
  addCommand(program, 'demo', 'Bring up the stack and import the samples', 'npm start -- --exit')
    .option('--exit', 'end after the summary')
    .action(run(demoCommand));
}

async function demoCommand(call: Call<Flags>): Promise<number> {
  const { options, out } = call;
  const session = await call.open({ embedded: true, creates: true });
  const documents: object[] = [];
  let worst = 0;
  await (await session.backend()).call('add_tenant', { tenant_id: TENANT, bearer_sha256: hashSecret(newSecret()) });
  const intake = programName();
  for (const { name, reads, sample, sourceIsTenant } of KINDS) {
    const path = fileURLToPath(new URL(sample, SAMPLES));
    if (!existsSync(path)) continue;
    const directory = reads === 'csv' ? {} : { directory: { tag: 'sample' } };
    for (const mode of ['dry-run', 'commit'] as const) {
      out.detail('');
      out.detail(
        `${intake} import ${name} samples/${sample}${reads === 'csv' ? '' : ' --tag sample'}${sourceIsTenant ? ` --tenant ${TENANT}` : ''}${mode === 'commit' ? ' --commit' : ''}`,
      );
      const { facts, report } = await importSample(call, session, {
        kind: name,
        path,
        mode,
        ...directory,
        ...(sourceIsTenant ? { sourceSystem: TENANT } : {}),
      });
      documents.push(importDocument(facts, report));
      worst = Math.max(worst, out.json ? exitCodeOf(report) : summarize(out, facts, report));
      if (report.status === 'duplicate')
        out.detail('  That is fine: the sample was imported when you first started Intake.');
    }
  }
  out.document({ addresses: session.stack ? addressesOf(session.stack) : null, imports: documents });
  if (session.stack?.gateway) await gatewayAnswers(session.stack.gateway);
  for (const line of ['', 'Intake is up.', ...(session.stack ? addressLines(session.stack) : [])]) out.detail(line);
  out.detail('');
  out.detail(`  Next: ${intake} import plaintiffs YOUR.csv, ${intake} runs, ${intake} doctor`);
  out.detail(`  To sign in on the dashboard: ${intake} users add you@example.com --role operator`);
  if (!options.exit && !out.json) await untilInterrupted(out);
  return worst;
}

async function importSample(
  call: Call<Flags>,
  session: Session,
  request: ImportRequest,
): Promise<{ facts: ImportFacts; report: ImportReport }> {
  const input = await importInput(session.config, request);
  const report = await follow({ out: call.out, options: {} }, session, input);
  return {
    facts: { request, input, workflowId: workflowIdOf(input), target: session.targetOf(input.backend) },
    report,
  };
}

/** The stack is left running: other commands use it. */
function untilInterrupted(out: Call<Flags>['out']): Promise<void> {
  out.detail(`  Ctrl-C ends this; the stack stays up until: ${programName()} down`);
  const alive = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    const stop = () => resolve(clearInterval(alive));
    react(stop);
    process.once('SIGTERM', stop);
  });
}
