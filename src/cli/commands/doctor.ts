/** `intake doctor`: checks everything an import needs, and says what to do about what is missing. */
import { asCalled } from '../asCalled.ts';
import type { Command } from 'commander';
import { BUCKET } from '../../database/backend.ts';
import type { SupabaseConfig } from '../../config.ts';
import {
  check,
  checkBackend,
  checkBucket,
  checkIntake,
  checkJobs,
  checkRights,
  checkNode,
  checkSettings,
  failed,
  type Check,
} from '../checks/check.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import type { Session } from '../session.ts';
import { gatewayAnswers } from './stack.ts';
import { shownDatabaseAddress } from '../../settings/databaseAddress.ts';
import { checkRuns } from '../checks/runs.ts';
import { checkTemporal } from '../checks/temporal.ts';

interface Flags extends CommonOptions {
  readonly showSecrets?: boolean;
}

export function define(program: Command): void {
  addCommand(program, 'doctor', 'Check everything Intake needs', 'intake doctor --env prod')
    .option('--show-secrets', 'do not mask passwords and keys')
    .action(run(doctorCommand));
}

async function doctorCommand({ options, out, open }: Call<Flags>): Promise<number> {
  const session = await open();
  const { databaseUrl, supabase } = session.config;
  const groups = await Promise.all([
    checkIntake(),
    checkNode(),
    checkSettings(),
    checkTemporal(session),
    databaseUrl ? checkDatabase(session, databaseUrl) : [],
    supabase ? checkSupabase(session, supabase) : [],
    checkRuns(session),
    session.stack?.gateway ? checkGateway(session.stack.gateway) : [],
  ]);
  const checks: Check[] = groups.flat();
  const addresses = addressesOf(session, options.showSecrets ?? false);
  out.document({ target: session.targetOf(), addresses, keys: keysOf(session, options.showSecrets ?? false), checks });
  for (const { name, ok, detail, remedy } of checks) {
    out.answer(`${out.style(ok ? 'green' : 'red', ok ? 'ok  ' : 'FAIL')}  ${name.padEnd(17)}  ${detail}`);
    if (remedy) out.answer(`${' '.repeat(25)}${asCalled(remedy)}`);
  }
  out.detail(`      ${'target'.padEnd(17)}  ${session.targetOf()}`);
  for (const [name, address] of Object.entries(addresses))
    if (address) out.detail(`      ${name.padEnd(17)}  ${address}`);
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

async function checkDatabase(session: Session, databaseUrl: string): Promise<Check[]> {
  const checks = await checkBackend('database', () => session.backend('postgres'));
  return checks[0]?.ok ? [...checks, await checkJobs(databaseUrl), await checkRights(databaseUrl)] : checks;
}

async function checkSupabase(session: Session, supabase: SupabaseConfig): Promise<Check[]> {
  const api = await checkBackend('supabase', () => session.backend('supabase'), !session.config.databaseUrl);
  return [...api, await checkBucket(supabase, BUCKET)];
}

const checkGateway = async (url: string): Promise<Check[]> => [
  await check('gateway', async () => {
    if (!(await gatewayAnswers(url)))
      throw failed(
        `The gateway does not answer at ${url}`,
        'Look at gateway.log among the logs of the stack; `intake down` and `intake up` start it anew.',
      );
    return `the gateway answers at ${url}`;
  }),
];

function addressesOf({ config, stack }: Session, show: boolean): Record<string, string | null> {
  const { temporal, databaseUrl, supabase } = config;
  return {
    temporal: temporal?.address ?? null,
    temporal_ui: stack?.temporalUi ?? null,
    database_url: databaseUrl ? (show ? databaseUrl : shownDatabaseAddress(databaseUrl)) : null,
    supabase_url: supabase?.url ?? null,
    gateway: config.gatewayUrl,
    dashboard: `${config.gatewayUrl}/`,
  };
}

function keysOf({ config: { supabase } }: Session, show: boolean): Record<string, string | null> {
  const shown = (key: string | undefined) => (key === undefined ? null : show ? key : '***');
  return { service_role: shown(supabase?.serviceKey), anon: shown(supabase?.anonKey) };
}
