/** `intake tenants`: who may post projects to the gateway. A secret is shown once, when it is made; only its hash is kept. */
import { shellWord } from '../../values/text.ts';
import { Option, type Command } from 'commander';
import { IntakeError, unknownTenant } from '../../errors.ts';
import { hashSecret, newSecret } from '../../database/secrets.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands } from '../subcommands.ts';
import { renderTable } from '../display/table.ts';
import { tenantNamed } from '../requests/values.ts';

interface Flags extends CommonOptions {
  /** Minutes. */
  readonly overlap: number;
  readonly otherCase?: boolean;
  readonly dateOrder?: 'dmy' | 'mdy';
}

const COLUMNS = ['tenant_id', 'date_order', 'created_at', 'rotated_at', 'former_until'];
const REMEDY = 'Write intake tenants add TENANT, with the tenant_id of its batches.';
const MINUTES = { m: 1, h: 60, d: 1440 } as const;
const A_DAY = 1440;

export function define(program: Command): void {
  const tenant = ['[tenant]', 'tenant_id of its batches'] as const;
  const order = new Option('--date-order <order>', 'how numeric dates of its batches are written (dmy)').choices([
    'dmy',
    'mdy',
  ]);
  const overlap = new Option('--overlap <time>', 'how long the former secret opens, too: 30m, 24h, 7d or 0')
    .argParser(parseMinutes)
    .default(A_DAY, '24h');
  const otherCase = new Option('--other-case', 'also when another tenant differs by upper and lower case alone');
  const summary = 'Add and list tenants of the gateway, rotate their secrets';
  addSubcommands<Flags>(addCommand(program, 'tenants', summary, 'intake tenants add TELCO\nintake tenants'), {
    list: {
      summary: 'List tenants',
      example: 'intake tenants list --output jsonl',
      body: list,
      lists: true,
      isDefault: true,
    },
    add: {
      summary: 'Let a tenant post; shows its secret once',
      args: [tenant],
      options: [order, otherCase],
      example: 'intake tenants add TELCO\nintake tenants add TELCO --date-order mdy',
      body: add,
    },
    set: {
      summary: 'Change how batches of a tenant are read',
      args: [tenant],
      options: [order],
      example: 'intake tenants set TELCO --date-order mdy',
      body: set,
    },
    rotate: {
      summary: 'Give a tenant another secret',
      args: [tenant],
      options: [overlap],
      example: 'intake tenants rotate TELCO --overlap 48h',
      body: rotate,
    },
  });
}

async function add({ args: [, name], options, out, open }: Call<Flags>): Promise<void> {
  const tenant = tenantNamed(name, REMEDY);
  const backend = await (await open({ creates: true })).backend();
  const similar = options.otherCase ? [] : await backend.call('similar_tenants', { tenant_id: tenant });
  if (similar.length > 0)
    throw new IntakeError('USAGE', `There is a tenant ${similar.join(', ')}, which differs by case alone`, {
      remedy: `Use that one; if you mean another: intake tenants add ${shellWord(tenant)} --other-case.`,
    });
  const bearer = newSecret();
  if (!(await backend.call('add_tenant', { tenant_id: tenant, bearer_sha256: hashSecret(bearer) }))) {
    throw new IntakeError('USAGE', `Tenant ${tenant} has a secret already`, {
      remedy: `Write intake tenants rotate ${shellWord(tenant)}`,
    });
  }
  if (options.dateOrder) await backend.call('set_date_order', { tenant_id: tenant, date_order: options.dateOrder });
  out.document({ tenant_id: tenant, bearer });
  out.detail(`Tenant ${tenant} may post with this secret, which is not shown again:`);
  out.answer(bearer);
}

/** What its batches say that the rows do not. */
async function set({ args: [, name], options: { dateOrder }, out, open }: Call<Flags>): Promise<void> {
  const tenant = tenantNamed(name, 'Write intake tenants set TENANT --date-order mdy.');
  if (!dateOrder) throw new IntakeError('USAGE', 'Set what?', { remedy: 'Give --date-order dmy or mdy.' });
  const backend = await (await open()).backend();
  if (!(await backend.call('set_date_order', { tenant_id: tenant, date_order: dateOrder })))
    throw unknownTenant(tenant);
  out.document({ tenant_id: tenant, date_order: dateOrder });
  out.answer(`Numeric dates in batches of ${tenant} are read as ${dateOrder} from now on`);
}

async function rotate({ args: [, name], options, out, open }: Call<Flags>): Promise<void> {
  const tenant = tenantNamed(name, REMEDY);
  const backend = await (await open()).backend();
  const bearer = newSecret();
  const until = await backend.call('rotate_bearer', {
    tenant_id: tenant,
    bearer_sha256: hashSecret(bearer),
    overlap_minutes: options.overlap,
  });
  if (until === null)
    throw new IntakeError('USAGE', `There is no tenant ${tenant}`, {
      remedy: `Write intake tenants add ${shellWord(tenant)}`,
    });
  out.document({ tenant_id: tenant, bearer, former_until: until });
  out.detail(`The former secret of ${tenant} opens until ${until}. The new one is not shown again:`);
  out.answer(bearer);
}

async function list({ out, open }: Call<Flags>): Promise<void> {
  const tenants = await (await (await open()).backend()).call('list_tenants', {});
  out.document(tenants);
  if (tenants.length === 0) out.detail('No tenants yet: intake tenants add TENANT, or PROJECTS_IMPORT_BEARER.');
  else for (const line of renderTable(tenants, COLUMNS)) out.answer(line);
}

function parseMinutes(text: string): number {
  const [, amount, unit = 'm'] = /^(\d{1,5})([mhd])?$/.exec(text) ?? [];
  if (amount === undefined) throw new IntakeError('USAGE', '--overlap is a time such as 30m, 24h or 7d');
  return Number(amount) * MINUTES[unit as keyof typeof MINUTES];
}
