/** `intake up` and `intake down`: the embedded stack. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import type { Stack } from '../../local/stack.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { bringUpStack, readConfig, wantedGateway } from '../session.ts';
import { shownDatabaseAddress } from '../../settings/databaseAddress.ts';

const GATEWAY_MS = 15_000;

interface Flags extends CommonOptions {
  readonly ports?: number;
  readonly purge?: boolean;
}

export function define(program: Command): void {
  addCommand(program, 'up', 'Bring up the embedded stack', 'intake up --ports 9000')
    .option(
      '--ports <base>',
      'ports from this number: Temporal, its UI, PostgreSQL, API, metrics, gateway; taken ones are replaced',
      parsePort,
    )
    .action(run(up));
  addCommand(program, 'down', 'Stop the embedded stack; its data stays', 'intake down')
    .option('--purge', 'remove its data, too: database, workflows, objects, settings')
    .action(run(down));
}

async function up({ options, out }: Call<Flags>): Promise<void> {
  const { dir, gateway } = readConfig(options.env, options.dir, out.note);
  const base = options.ports;
  const ports =
    base === undefined
      ? wantedGateway(gateway)
      : { temporal: base, ui: base + 1, postgres: base + 2, api: base + 3, metrics: base + 4, gateway: base + 5 };
  const stack = await bringUpStack({ dir, onStep: out.note, ports });
  const { watchStack } = await import('../../local/watch.ts');
  const watch = watchStack(stack.dir, out.note);
  if (stack.gateway !== undefined) await Promise.race([gatewayAnswers(stack.gateway), watch.failed]);
  watch.stop();
  out.document({ status: 'up', dir: stack.dir, addresses: addressesOf(stack), pids: stack.pids, logs: stack.logs });
  out.answer(`The stack is up in ${stack.dir}`);
  for (const line of addressLines(stack)) out.detail(line);
  out.detail('  Stop it with: intake down');
}

async function down({ options, out }: Call<Flags>): Promise<void> {
  const { dir } = readConfig(options.env, options.dir, out.note);
  if (options.purge) {
    const { purgeStack } = await import('../../local/purge.ts');
    const removed: string[] = [];
    const found = await purgeStack(dir, out.note, (path) => {
      removed.push(path);
      out.note(`Removing the data in ${path}`);
    });
    out.document({ status: 'purged', dir, removed });
    out.answer(found ? 'The stack is down; its data are removed.' : `There is no stack in ${dir}.`);
    return;
  }
  const { stopStack } = await import('../../local/stack.ts');
  await stopStack(dir, out.note);
  out.document({ status: 'down', dir });
  out.answer('The stack is down; its data stays.');
}

/** Waits a while for the gateway, which starts last: who brings up the stack may want to post at once. */
export async function gatewayAnswers(url: string): Promise<boolean> {
  for (const deadline = Date.now() + GATEWAY_MS; ;) {
    if (
      await fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return true;
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
}

/** Addresses of the embedded stack, the database's without its password. */
export function addressesOf({
  temporal,
  temporalUi,
  databaseUrl,
  supabaseUrl,
  gateway,
}: Stack): Record<string, string | null> {
  const served = gateway === undefined ? { gateway: null, dashboard: null } : { gateway, dashboard: `${gateway}/` };
  return {
    temporal,
    temporal_ui: temporalUi,
    database_url: shownDatabaseAddress(databaseUrl),
    supabase_url: supabaseUrl,
    ...served,
  };
}

export function addressLines(stack: Stack): string[] {
  const { temporal, temporal_ui, database_url, supabase_url, dashboard } = addressesOf(stack);
  const lines = [
    `  Temporal UI:  ${temporal_ui}`,
    `  Temporal:     ${temporal}`,
    `  Database:     ${database_url}`,
    `  Supabase API: ${supabase_url}`,
  ];
  return dashboard ? [`  Dashboard:    ${dashboard}`, ...lines] : lines;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1024 || port > 65_000)
    throw new IntakeError('USAGE', '--ports is a number from 1024 to 65000');
  return port;
}
